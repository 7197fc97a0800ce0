import type { Context } from '../context.ts'
import type { StripeAccount } from '../ports.ts'

/**
 * The same context, with a count of the requests sent through it that may have changed something.
 */
export function counted<C extends Pick<Context, 'accounts'>>(context: C): { context: C; writes: () => number } {
  let writes = 0
  const counting = (account: StripeAccount): StripeAccount => ({
    ...account,
    send(request) {
      const reads = request.method === 'GET' || request.path.endsWith('/create_preview')
      if (!reads) writes += 1
      return account.send(request)
    },
  })
  const { target, sources } = context.accounts
  const accounts = {
    target: counting(target),
    sources: new Map([...sources].map(([name, account]) => [name, counting(account)])),
  }
  return { context: { ...context, accounts }, writes: () => writes }
}
