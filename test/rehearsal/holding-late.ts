import { isJsonObject } from '../../src/core/json.ts'
import { success } from '../../src/core/outcome.ts'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'

/**
 * Sends the creation first and the hold after it. The program gets the answer of a successful hold
 * with the requested expansions; otherwise it would see another subscription and undo everything.
 */
export function createsBeforeHolding({ accounts, ...context }: Context): Context {
  let waiting: (() => Promise<unknown>) | undefined
  const late = (account: StripeAccount): StripeAccount => ({
    ...account,
    async send(request) {
      const { method, path, params = {} } = request
      const { pause_collection: pause, metadata, expand = [] } = params
      if (account.name !== 'target' && method === 'POST' && isJsonObject(pause) && isJsonObject(metadata)) {
        waiting = () => account.send(request)
        const now = await account.send({ method: 'GET', path, params: { expand } })
        if (!now.ok) return now
        const marks = isJsonObject(now.value['metadata']) ? now.value['metadata'] : {}
        const held = { pause_collection: { resumes_at: null, ...pause }, metadata: { ...marks, ...metadata } }
        return success({ ...now.value, ...held })
      }
      const answer = await account.send(request)
      if (method === 'POST' && path === '/v1/subscriptions') {
        await waiting?.()
        waiting = undefined
      }
      return answer
    },
  })
  const sources = new Map([...accounts.sources].map(([name, account]) => [name, late(account)]))
  return { ...context, accounts: { target: late(accounts.target), sources } }
}
