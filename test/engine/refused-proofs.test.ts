import { expect, test } from 'vitest'
import { failed } from '../../src/core/outcome.ts'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'

/** The key of the target loses its permissions after the hold. */
function losing(context: Context): Context {
  const { target } = context.accounts
  const narrow: StripeAccount = {
    ...target,
    async send(request) {
      const isLater =
        request.path === '/v1/subscriptions' || JSON.stringify(request.params).includes('crossbill_closed')
      if (request.method === 'GET' || !isLater) return target.send(request)
      const message = 'The provided key does not have the required permissions'
      return failed({ kind: 'rejected', code: 'more_permissions_required', message, status: 403 })
    },
  }
  return { ...context, accounts: { ...context.accounts, target: narrow } }
}

test('promise 11: a key without permissions proves nothing: the hold stays until the creation is made impossible', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const context = school.stage('target')
  // The prices first, so that only the hand-over meets the refusals.
  await planAndApply(school.stage('source'))
  const { result } = await planAndApply(losing(context))
  expect(result).toMatchObject({ ok: false, changes: [{ outcome: 'held' }] })
  const [id = ''] = school.subscriptions
  expect((await school.us.subscriptions.retrieve(id)).pause_collection).toMatchObject({ behavior: 'keep_as_draft' })
  await planAndApply(context)
  const { result: last } = await planAndApply(context)
  expect(last).toMatchObject({ ok: true })
  expect((await school.target.subscriptions.list({})).data).toHaveLength(1)
})
