import type { StripeObject } from '../../core/json.ts'
import type { Accounts, Params, StripeAccount } from '../ports.ts'

/**
 * The same accounts for one decision: each list is read once, however often the decision asks for
 * it. Not for longer, because what was read grows old.
 */
export function listedOnce({ target, sources }: Accounts): Accounts {
  return {
    target: once(target),
    sources: new Map([...sources].map(([name, account]) => [name, once(account)])),
  }
}

function once(account: StripeAccount): StripeAccount {
  const read = new Map<string, Promise<readonly StripeObject[]>>()
  const whole = async (path: string, params: Params | undefined): Promise<readonly StripeObject[]> => {
    const found: StripeObject[] = []
    for await (const one of account.list(path, params)) found.push(one)
    return found
  }
  return {
    ...account,
    async *list(path, params) {
      const name = JSON.stringify([path, params])
      const known = read.get(name) ?? whole(path, params)
      read.set(name, known)
      yield* await known
    },
  }
}
