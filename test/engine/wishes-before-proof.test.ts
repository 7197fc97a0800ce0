import { expect, test } from 'vitest'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const renewal = '2026-10-20T09:15:00Z'
type Wish = (subscription: string) => Promise<unknown>

/** Somebody acts on the new subscription right after its creation, before it is proven. */
function acting({ accounts, ...context }: Context, act: Wish): Context {
  const { target } = accounts
  const watched: StripeAccount = {
    ...target,
    async send(request) {
      const outcome = await target.send(request)
      if (outcome.ok && request.method === 'POST' && request.path === '/v1/subscriptions')
        await act(outcome.value.id ?? '')
      return outcome
    },
  }
  return { ...context, accounts: { ...accounts, target: watched } }
}

test('promise 9: who cancels the new subscription before it is proven is not charged again', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const leaves: Wish = (id) => school.target.subscriptions.update(id, { cancel_at_period_end: true })
  const { result } = await planAndApply(acting(school.stage('target'), leaves))
  expect(result.changes.filter(({ action }) => action === 'move')).toMatchObject([{ outcome: 'done' }])
  // A later run, and the renewal.
  await planAndApply(school.stage('target'))
  await school.advance('2026-11-25T12:00:00Z')
  const all = (await school.target.subscriptions.list({ status: 'all' })).data
  expect(all.map(({ status, ended_at: ended }) => [status, ended])).toEqual([['canceled', Date.parse(renewal) / 1_000]])
  expect((await school.charges()).flat().filter((one) => one.startsWith('target'))).toEqual([])
})

test('promise 1: a pause of the new subscription before it is proven stays, and is named', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const pauses: Wish = (id) => school.target.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
  const { result } = await planAndApply(acting(school.stage('target'), pauses))
  expect(result.changes.filter(({ action }) => action === 'move')).toMatchObject([{ outcome: 'done' }])
  const [one] = (await school.target.subscriptions.list({})).data
  expect(one?.pause_collection).toMatchObject({ behavior: 'void' })
})

test('promise 1: an old subscription that loses its mark between creation and proof still has one payer', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const [old = ''] = school.subscriptions
  const strips: Wish = () => school.us.subscriptions.update(old, { metadata: '' })
  await planAndApply(acting(school.stage('target'), strips))
  await school.advance('2026-11-25T12:00:00Z')
  const charged = (await school.charges()).flat().map((one) => one.split(' ')[1] ?? '')
  expect(charged.filter((at) => at > now)).toEqual(['2026-10-20T10:15:00Z', '2026-11-20T10:15:00Z'])
})

/** The run is killed right after Stripe has put an old subscription on hold. */
async function dieHolding(context: Context): Promise<void> {
  let held = false
  const sources = new Map(
    [...context.accounts.sources].map(([name, account]) => {
      const send: StripeAccount['send'] = async (request) => {
        const outcome = await account.send(request)
        held ||= request.params?.['pause_collection'] !== undefined
        return outcome
      }
      return [name, { ...account, send }] as const
    }),
  )
  const watched = { ...context, accounts: { ...context.accounts, sources } }
  const life = mortal(watched, ({ side }) => side === 'after' && held)
  await expect(planAndApply(life.context)).rejects.toThrow(Killed)
  await context.store.breakLease(applyLease)
}

for (const next of ['target', 'source'] as const)
  test(`promise 1: a run dies right after a hold whose marks are then removed; the stage ${next} has one payer`, async () => {
    await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
    const [old = ''] = school.subscriptions
    await dieHolding(school.stage('target'))
    await school.us.subscriptions.update(old, { metadata: '' })
    const { violations } = await verify(school.stage(next))
    expect(violations.map(({ code }) => code)).toEqual(['held_without_successor'])
    await planAndApply(school.stage(next))
    expect((await school.us.subscriptions.retrieve(old)).pause_collection?.behavior).not.toBe('keep_as_draft')
    await school.advance('2026-11-25T12:00:00Z')
    const charged = (await school.charges()).flat().map((one) => one.split(' ')[1] ?? '')
    expect(charged.filter((at) => at > now)).toEqual(['2026-10-20T10:15:00Z', '2026-11-20T10:15:00Z'])
  })
