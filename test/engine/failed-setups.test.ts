import chalk from 'chalk'
import { expect, test } from 'vitest'
import { applyText } from '../../src/cli/render/apply-text.ts'
import { declinesExcess } from '../../src/engine/plan/decline-rates.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { members, type Members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'
const undo = 'policies: { setup_failed: undo }'

/** From now on the bank declines the copy of this member's card. */
async function declineCopy({ rig, us, target, subscriptions }: Members, index: number): Promise<void> {
  const customer = (await us.subscriptions.retrieve(subscriptions[index] ?? '')).customer as string
  const [copy] = (await target.paymentMethods.list({ customer })).data
  const account = rig.sandbox.world.account('target')
  const card = account.table(paymentMethods).get(copy?.id ?? '')
  if (card === undefined) throw new Error('no copied card')
  const declines = { code: 'card_declined', decline_code: 'insufficient_funds', from: null, times: null }
  account.table(paymentMethods).put({ ...card, temper: { ...card.temper, declines } })
}

test('every payer arrives: a card that will decline is reported when it moves, long before its renewal', async () => {
  await using school = await members([{ since, card: 'pm_card_in' }, { since }], now)
  const { plan, result } = await planAndApply(school.stage('target'))
  expect(plan.summary).toMatchObject({ move: 2 })
  const [india, other] = school.keys.map((key) => result.changes.find(({ address }) => address.endsWith(key)))
  expect(other).toEqual({ address: expect.any(String), action: 'move', outcome: 'done' })
  expect(india).toMatchObject({ outcome: 'done', code: 'setup_failed', fix: expect.stringContaining('stage') })
  expect(india?.message).toMatch(/asks the member to confirm \(seti_/)
  expect(applyText(result, chalk)).toContain('Moved, and the next renewal will probably fail (1)')
  // The plan and the checks of every night repeat it until the member acts.
  const { notices, ok } = await verify(school.stage('target'))
  expect(ok).toBe(true)
  expect(notices).toMatchObject([
    { code: 'mandate_missing', subscriber: school.keys[0], at: '2026-10-20T09:15:00Z', amount: 4900, currency: 'usd' },
  ])
  // The charged card decides: a new one ends the report.
  const [moved] = (await school.target.subscriptions.list({ status: 'all' })).data.filter(
    ({ metadata }) => metadata['crossbill_from'] === school.keys[0],
  )
  const card = await school.target.paymentMethods.attach('pm_card_visa', { customer: moved?.customer as string })
  await school.target.subscriptions.update(moved?.id ?? '', { default_payment_method: card.id })
  expect((await verify(school.stage('target'))).notices).toEqual([])
})

test('every payer arrives: by policy a move whose card fails is undone while that is free, and is not tried again', async () => {
  await using school = await members([{ since, card: 'pm_card_in' }, { since }, { since }], now)
  await declineCopy(school, 2)
  const { result } = await planAndApply(school.stage('target', undo))
  expect(result.changes.filter(({ action }) => action === 'move')).toMatchObject([
    { outcome: 'undone', code: 'setup_failed' },
    { outcome: 'done' },
    { outcome: 'undone', code: 'setup_failed', message: expect.stringContaining('insufficient_funds') },
  ])
  const again = await makePlan(school.stage('target', undo))
  expect(again.summary).toMatchObject({ move: 0 })
  expect(again.blocked.map(({ code }) => code)).toEqual(['setup_failed', 'setup_failed'])
  const { violations, notices } = await verify(school.stage('target', undo))
  expect([violations, notices]).toEqual([[], []])
  // An entry that names the code under `override` moves, whatever the set-up shows.
  const context = school.stage('target', undo)
  const subscribers = context.catalog.subscribers.map((one, at) =>
    at === 2 ? { ...one, override: ['setup_failed'] as const } : one,
  )
  const anyway = await planAndApply({ ...context, catalog: { ...context.catalog, subscribers, digest: 'overridden' } })
  expect(anyway.result.changes).toMatchObject([{ action: 'move', outcome: 'done', code: 'setup_failed' }])
  // The old account still bills the other, and no one else is billed twice.
  await school.advance('2026-10-25T00:00:00Z')
  const billed = (await school.charges()).map((theirs) => theirs.filter((one) => one.includes(' 2026-10-')))
  expect(billed).toEqual([['us 2026-10-20T10:15:00Z 4900 usd'], ['target 2026-10-20T10:15:00Z 4900 usd'], []])
})

test('the guard declines counts a failed set-up as a declined renewal, undone moves included', async () => {
  const people = Array.from({ length: 11 }, (_, index) => ({ since, ...(index < 3 ? { card: 'pm_card_in' } : {}) }))
  await using school = await members(people, now)
  const context = school.stage((index) => (index < 10 ? 'target' : 'source'), undo)
  const reading = async (): Promise<number> => declinesExcess(await survey(context))
  expect(await reading()).toBe(0)
  await planAndApply(context)
  expect(await reading()).toBe(30)
  const plan = await makePlan(school.stage('target', undo))
  expect(plan.guards.find(({ id }) => id === 'declines')).toMatchObject({ actual: 30, tripped: true })
})

test('every payer arrives: many cards that cannot be set up stop the other moves of the same apply', async () => {
  const people = Array.from({ length: 90 }, (_, index) => ({
    since,
    ...(index % 4 === 0 ? { card: 'pm_card_in' } : {}),
  }))
  await using school = await members(people, now)
  const { result } = await planAndApply(school.stage('target'))
  const of = (wanted: string): number => result.changes.filter(({ code = 'moved' }) => code === wanted).length
  // Those that were in progress end; the others stay where they are.
  expect(of('setup_failed')).toBeGreaterThanOrEqual(2)
  expect(of('declines')).toBeGreaterThan(10)
  expect(of('setup_failed') + of('moved') + of('declines')).toBe(result.changes.length)
  expect(result.changes.find(({ code }) => code === 'declines')).toMatchObject({
    outcome: 'skipped',
    message: expect.stringMatching(/^\d+ of \d+ moves of this run met a payment method/),
    fix: expect.stringContaining('--allow declines'),
  })
  expect(result.ok).toBe(false)
  expect((await verify(school.stage('target'))).violations).toEqual([])
  // The next plan is stopped by the guard; with it allowed, all move.
  const again = school.stage('target')
  expect((await makePlan(again)).guards.find(({ id }) => id === 'declines')).toMatchObject({ tripped: true })
  const { result: allowed } = await planAndApply(again, { allow: ['declines'] })
  expect(allowed.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
})

test('every payer arrives: a moved member without any card is named before the renewal', async () => {
  await using school = await members([{ since }], now)
  await planAndApply(school.stage('target'))
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  for (const { id } of (await school.target.customers.listPaymentMethods(customer as string)).data)
    await school.target.paymentMethods.detach(id)
  const { notices } = await verify(school.stage('target'))
  expect(notices).toMatchObject([
    { code: 'no_method', subscriber: school.keys[0], at: '2026-10-20T09:15:00Z', amount: 4900, currency: 'usd' },
  ])
  expect(notices[0]?.fix).toContain(`crossbill card-link ${school.keys[0]}`)
})
