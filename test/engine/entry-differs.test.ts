import { expect, test } from 'vitest'
import type { Catalog, DesiredSubscriber } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members, type Members } from './members.ts'
import { at, planAndApply } from './rig.ts'

/** Two members, moved: one with a discount that never ends. */
async function moved(): Promise<Members> {
  const school = await members(
    [{ since: '2026-08-15T09:15:00Z' }, { since: '2026-09-20T11:30:00Z', coupon: 'forever' }],
    '2026-10-05T12:00:00Z',
  )
  expect((await planAndApply(school.stage('target'))).result).toMatchObject({ ok: true })
  return school
}

/** The catalog in which the entry of one member was edited. */
function edited(
  school: Members,
  index: number,
  edit: (one: DesiredSubscriber) => Partial<DesiredSubscriber>,
  stage: 'target' | 'settled' | 'source' = 'target',
): Context {
  const { subscribers, ...rest } = school.at(stage)
  const changed = subscribers.map((one, at) => (at === index ? { ...one, ...edit(one) } : one))
  return school.rig.with({ ...rest, subscribers: changed, digest: JSON.stringify(changed) } as Catalog)
}

const edits: readonly (readonly [string, number, (one: DesiredSubscriber) => Partial<DesiredSubscriber>, string])[] = [
  ['price', 0, () => ({ items: [{ price: 'yearly' }] }), 'items: the entry says yearly × 1, but items are monthly × 1'],
  ['quantity', 0, () => ({ items: [{ price: 'monthly', quantity: 2 }] }), 'the entry says monthly × 2'],
  [
    'tax of an item',
    0,
    () => ({ items: [{ price: 'monthly', tax_rates: ['vat'] }] }),
    'tax rates of monthly × 1 are none',
  ],
  ['discount of an item', 0, () => ({ items: [{ price: 'monthly', discounts: [{ coupon: 'forever' }] }] }), 'forever'],
  ['metadata of an item', 0, () => ({ items: [{ price: 'monthly', metadata: { seat: '3' } }] }), 'metadata of monthly'],
  ['discount removed', 1, () => ({ discounts: [] }), 'discounts: the entry says none, but discount forever was added'],
  ['discount added', 0, () => ({ discounts: [{ coupon: 'forever' }] }), 'the entry says forever'],
  ['discount exchanged', 1, () => ({ discounts: [{ coupon: 'welcome-2-months-left' }] }), 'welcome-2-months-left'],
  ['end of a discount', 1, () => ({ discounts: [{ coupon: 'forever', ends: at('2027-01-01T00:00:00Z') }] }), 'no end'],
  ['tax rates', 0, () => ({ tax_rates: ['vat'] }), 'tax_rates: the entry says vat'],
  ['automatic tax', 0, () => ({ automatic_tax: true }), 'automatic_tax: the entry says true'],
  ['trial', 0, () => ({ trial_end: at('2027-01-01T00:00:00Z') }), 'there is no trial'],
  ['end', 0, () => ({ cancel_at: at('2027-01-01T00:00:00Z') }), 'cancel_at: the entry says 2027-01-01T00:00:00Z'],
  ['end of the period', 0, () => ({ cancel_at_period_end: true }), 'cancel_at_period_end: the entry says true'],
  ['currency', 0, () => ({ currency: 'eur' }), 'currency: the entry says eur'],
  ['customer', 0, () => ({ customer: 'cus_other' }), 'customer: the entry says cus_other'],
  ['card', 0, () => ({ payment_method: 'pm_other' }), 'payment_method: the entry says pm_other'],
  ['anchor', 0, () => ({ anchor: at('2026-08-16T09:15:00Z') }), 'anchor: the entry says 2026-08-16T09:15:00Z'],
  ['next invoice', 0, () => ({ next_invoice: at('2026-10-16T09:15:00Z') }), 'next_invoice: the entry says 2026-10-16'],
  ['payment plan', 0, () => ({ managed_by_application: { payments_left: 3 } }), 'payments_left: 3, but the new'],
  ['way of collection', 0, () => ({ collection_method: 'send_invoice', days_until_due: 9 }), 'days_until_due'],
]

test('nothing silent: an edit of a moved subscriber’s entry is blocked in the plan and a violation, field by field', async () => {
  await using school = await moved()
  const name = (index: number): string => school.keys[index] ?? ''
  expect((await verify(school.stage('target'))).violations).toEqual([])
  for (const [what, index, edit, says] of edits) {
    const context = edited(school, index, edit)
    const plan = await makePlan(context)
    const { violations } = await verify(context)
    expect({ what, changes: plan.changes, drift: plan.drift, blocked: plan.blocked, violations }).toMatchObject({
      what,
      changes: [],
      drift: [],
      blocked: [{ address: `subscriber.${name(index)}`, code: 'entry_differs' }],
      violations: [{ code: 'entry_differs', subscriber: name(index) }],
    })
    expect(`${what}: ${plan.blocked[0]?.message}`).toContain(says)
    expect(`${what}: ${violations[0]?.detail}`).toContain(says)
  }
})

test('promise 12: nobody is settled whose entry contradicts what was moved; the others are', async () => {
  await using school = await moved()
  await school.advance('2026-12-01T12:00:00Z')
  const wrong = edited(school, 0, () => ({ items: [{ price: 'yearly' }] }), 'settled')
  const { plan, result } = await planAndApply(wrong)
  expect(plan.blocked).toMatchObject([{ address: `subscriber.${school.keys[0]}`, code: 'entry_differs' }])
  expect(result.changes).toMatchObject([{ address: `subscriber.${school.keys[1]}`, action: 'settle', outcome: 'done' }])
  expect((await planAndApply(school.stage('settled'))).result.changes).toMatchObject([{ outcome: 'done' }])
})

test('a wrong entry does not stop a revert, and stays visible after the settle', async () => {
  await using school = await moved()
  const wrong = (stage: 'source' | 'settled'): Context =>
    edited(school, 0, () => ({ items: [{ price: 'yearly' }] }), stage)
  const back = await makePlan(wrong('source'))
  expect(back.changes.map(({ action }) => action)).toEqual(['revert', 'revert'])
  expect(back.drift).toMatchObject([{ code: 'entry_differs' }])
  await school.advance('2026-12-01T12:00:00Z')
  await planAndApply(school.stage('settled'))
  expect((await verify(school.stage('settled'))).violations).toEqual([])
  expect((await makePlan(wrong('settled'))).blocked).toMatchObject([{ code: 'entry_differs' }])
  expect((await verify(wrong('settled'))).violations).toMatchObject([{ code: 'entry_differs' }])
})

test('payments left are those of the move: another number afterwards is reported', async () => {
  await using school = await members([{ since: '2026-08-15T09:15:00Z' }], '2026-10-05T12:00:00Z')
  const left = (payments: number): Context =>
    edited(school, 0, () => ({ managed_by_application: { payments_left: payments } }))
  expect((await planAndApply(left(3))).result).toMatchObject({ ok: true })
  expect((await verify(left(3))).violations).toEqual([])
  await school.advance('2026-10-20T12:00:00Z')
  expect((await verify(left(3))).violations).toEqual([])
  expect((await verify(left(4))).violations).toMatchObject([
    { code: 'entry_differs', detail: expect.stringContaining('after 3 payments') as string },
  ])
})

test('`excluded` on a moved subscriber undoes nothing and is reported with a way', async () => {
  await using school = await moved()
  const context = edited(school, 0, () => ({ excluded: 'pays by bank transfer', stage: 'source' }))
  const plan = await makePlan(context)
  expect(plan.changes).toEqual([])
  expect(plan.blocked).toMatchObject([
    { code: 'excluded_after_move', fix: expect.stringContaining('stage: source') as string },
  ])
  const found = await verify(context)
  expect(found.violations).toEqual([])
  expect(found.notices).toMatchObject([{ code: 'excluded_after_move', subscriber: school.keys[0] }])
})

test('an entry in the folder of another source does not count: it is named and not moved', async () => {
  await using school = await moved()
  const { subscribers, ...rest } = school.at('target')
  const copies = subscribers.map((one) => ({ ...one, source: 'intl', key: `intl/${one.subscription}` as const }))
  const all = [...subscribers, ...copies]
  const context = school.rig.with({ ...rest, subscribers: all, digest: 'copied' })
  const plan = await makePlan(context)
  const checked = await verify(context)
  expect(plan.changes).toEqual([])
  expect(plan.people).toEqual({ unchanged: 2 })
  expect(checked.checked).toBe(2)
  expect(plan.blocked.map(({ code }) => code)).toEqual(['not_in_source', 'not_in_source'])
  expect(checked.violations.map(({ code, subscriber }) => `${code} ${subscriber}`)).toEqual(
    copies.map(({ key }) => `not_in_source ${key}`),
  )
  expect(checked.violations[0]?.fix).toContain('catalog/subscribers/us/')
})
