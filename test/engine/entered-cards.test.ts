import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { CardContext, CardOwner } from '../../src/engine/cards/context.ts'
import { openCardPage } from '../../src/engine/cards/session.ts'
import { cardState } from '../../src/engine/cards/state.ts'
import { sweepCards } from '../../src/engine/cards/sweep.ts'
import { cardsCheck } from '../../src/engine/verify/cards.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import type { Context } from '../../src/engine/context.ts'
import type { CopyMapRow } from '../../src/engine/ports.ts'
import { openStore } from '../../src/store/open.ts'
import { members, type Members } from './members.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'
const back = 'https://school.example/card/token'

const cardContext = (context: Context): CardContext => ({ ...context, clock: () => context.accounts.target.now() })

/** The context after a copy that did not bring the cards of these members. */
async function withoutCards(school: Members, context: Context, indexes: readonly number[]): Promise<Context> {
  const left = new Set(await Promise.all(indexes.map(async (index) => (await ownerOf(school, index)).customer)))
  const store = await openStore({ file: ':memory:' })
  const rows: CopyMapRow[] = []
  for await (const row of context.store.copyMap('us'))
    rows.push(left.has(row.customerOld) ? { ...row, sourceOld: '', sourceNew: '' } : row)
  await store.putCopyMap(rows)
  return { ...context, store }
}

async function ownerOf(school: Members, index: number): Promise<CardOwner> {
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[index] ?? '')
  return { subscriber: school.keys[index] ?? '', customer: customer as string }
}

/** The member opens Stripe's page from their link and enters a card there. */
async function enter(school: Members, context: CardContext, owner: CardOwner, card = 'pm_card_visa'): Promise<string> {
  const opened = await openCardPage(context, owner, back)
  if (!opened.ok || opened.value.state !== 'page') throw new Error(JSON.stringify(opened))
  const session = opened.value.url.split('/').at(-1) ?? ''
  const act: JsonObject = { act: 'enter_card', account: 'target', session, card }
  const answer = await school.rig.sandbox.fetch('http://x/_sandbox/act', { method: 'POST', body: JSON.stringify(act) })
  const told = (await answer.json()) as { payment_method?: string; returns_to?: string }
  expect(told.returns_to).toBe(back)
  return present(told.payment_method, JSON.stringify(told))
}

test('every payer arrives: a member whose card was not copied enters one, and the next apply moves them', async () => {
  await using school = await members([{ since }, { since }], now)
  const context = await withoutCards(school, school.stage('target'), [0])
  const before = await planAndApply(context)
  expect(before.plan.blocked.map(({ code }) => code)).toEqual(['payment_method_unmapped'])
  const owner = await ownerOf(school, 0)
  const { customer } = owner
  const method = await enter(school, cardContext(context), owner)
  // Neither a return to the page nor a running service is needed.
  const { plan, result } = await planAndApply(context)
  expect([plan.blocked, plan.summary.move, result.changes.map(({ outcome }) => outcome)]).toEqual([[], 1, ['done']])
  expect(await school.target.customers.retrieve(customer)).toMatchObject({
    invoice_settings: { default_payment_method: method },
  })
  const [successor] = (await school.target.subscriptions.list({ customer })).data
  expect(successor).toMatchObject({ default_payment_method: null, metadata: { crossbill_card: method } })
  expect((await makePlan(context)).changes).toEqual([])
  const checked = await verify(context)
  expect([checked.violations, (await cardsCheck(context)).findings]).toEqual([[], []])
  await school.advance('2026-12-01T00:00:00Z')
  expect((await school.charges())[0]).toEqual([
    'us 2026-09-20T09:15:00Z 4900 usd',
    'target 2026-10-20T10:15:00Z 4900 usd',
    'target 2026-11-20T10:15:00Z 4900 usd',
  ])
})

test('a card link is idempotent: one open page for all presses, and one card for all returns', async () => {
  await using school = await members([{ since }], now)
  const context = cardContext(school.stage('target'))
  const owner = await ownerOf(school, 0)
  expect(await cardState(context, owner)).toMatchObject({ ok: true, value: { state: 'open' } })
  const pages = await Promise.all([1, 2, 3].map(async () => openCardPage(context, owner, back)))
  expect(new Set(pages.map((one) => JSON.stringify(one))).size).toBe(1)
  expect((await school.target.checkout.sessions.list()).data).toHaveLength(1)
  // A page that nobody used closes after a day; the link then opens another one.
  await school.advance('2026-10-06T13:00:00Z')
  await enter(school, context, owner)
  expect((await school.target.checkout.sessions.list()).data).toHaveLength(2)
  expect(await cardState(context, owner)).toEqual({ ok: true, value: { state: 'entered' } })
  expect(await openCardPage(context, owner, back)).toEqual({ ok: true, value: { state: 'entered' } })
  school.rig.sent.length = 0
  await cardState(context, owner)
  expect(school.rig.sent).toEqual([])
  // An empty store knows it from the marks.
  const store = await openStore({ file: ':memory:' })
  expect(await cardState({ ...context, store }, owner)).toEqual({ ok: true, value: { state: 'entered' } })
  await store.close()
})

test('every payer arrives: after the move, the new subscription charges the card that its member entered', async () => {
  await using school = await members([{ since, card: 'pm_card_in' }, { since }], now)
  await planAndApply(school.stage('target'))
  expect((await cardsCheck(school.stage('target'))).findings.map(({ code }) => code)).toEqual(['mandate_missing'])
  const context = cardContext(school.stage('target'))
  const owner = await ownerOf(school, 0)
  await enter(school, context, owner, 'pm_card_mastercard')
  // A run on this store keeps the card waiting, and the member sees that it is saved.
  const lease = await context.store.acquire(applyLease, 'another', 30)
  expect(await cardState(context, owner)).toEqual({ ok: true, value: { state: 'entered', waits: true } })
  expect(await sweepCards(context)).toEqual({ ok: true, value: 1 })
  expect((await cardsCheck(school.stage('target'))).findings).toHaveLength(1)
  await lease?.release()
  expect(await sweepCards(context)).toEqual({ ok: true, value: 1 })
  expect(await sweepCards(context)).toEqual({ ok: true, value: 0 })
  expect((await cardsCheck(school.stage('target'))).findings).toEqual([])
  const checked = await verify(school.stage('target'))
  expect([checked.violations, checked.notices]).toEqual([[], []])
  const plan = await makePlan(school.stage('target'))
  expect([plan.changes, plan.drift, plan.blocked]).toEqual([[], [], []])
  // It can still be undone, and is then billed where it was.
  expect((await planAndApply(school.stage('source'))).result.changes.map(({ outcome }) => outcome)).toEqual([
    'done',
    'done',
  ])
})

test('a card of another session, of another customer or that is gone is never charged', async () => {
  await using school = await members([{ since }, { since }], now)
  const world = await withoutCards(school, school.stage('target'), [0, 1])
  const context = cardContext(world)
  const [mine, other] = [await ownerOf(school, 0), await ownerOf(school, 1)]
  const method = await enter(school, context, other)
  const { metadata } = (await school.target.customers.retrieve(other.customer)) as { metadata: Record<string, string> }
  const [[key, mark] = ['', '']] = Object.entries(metadata)
  const [[own] = ['']] = await (async () => {
    await openCardPage(context, mine, back)
    const { metadata: theirs } = (await school.target.customers.retrieve(mine.customer)) as {
      metadata: Record<string, string>
    }
    return Object.entries(theirs)
  })()
  expect(own).not.toBe(key)
  await school.target.customers.update(mine.customer, { metadata: { [own]: mark } })
  expect(await cardState(context, mine)).toMatchObject({ ok: true, value: { state: 'open' } })
  const stolen = `entered 1790000000 ${method}`
  await school.target.customers.update(mine.customer, { metadata: { [own]: stolen } })
  const plan = await makePlan(world)
  expect([plan.summary.move, plan.blocked.map(({ address }) => address)]).toEqual([
    1,
    [`subscriber.${mine.subscriber}`],
  ])
  await school.target.paymentMethods.detach(method)
  expect((await makePlan(world)).summary.move).toBe(0)
})

test('a card that a member enters after the review postpones their own move, and no other', async () => {
  await using school = await members([{ since }, { since }, { since }], now)
  await planAndApply(school.stage('source'))
  const context = school.stage('target')
  const plan = await makePlan(context)
  expect(plan.summary.move).toBe(3)
  const owner = await ownerOf(school, 1)
  await enter(school, cardContext(context), owner)
  const { changes } = await apply(context, plan)
  const outcomes = school.keys.map((key) => changes.find(({ address }) => address === `subscriber.${key}`))
  expect(outcomes).toMatchObject([
    { outcome: 'done' },
    { outcome: 'skipped', code: 'card_entered', message: expect.stringContaining('entered a card') },
    { outcome: 'done' },
  ])
  // Back from Stripe, or not: the next plan charges that card.
  const next = await planAndApply(school.stage('target'))
  expect(next.result.changes).toMatchObject([{ action: 'move', outcome: 'done' }])
  expect((await verify(school.stage('target'))).violations).toEqual([])
})

test('two subscriptions of one customer keep their own cards when a member enters one for the first', async () => {
  await using school = await members([{ since: '2026-09-12T09:15:00Z' }, { since, customerOf: 0 }], now)
  await planAndApply(school.stage('source'))
  const context = await withoutCards(
    school,
    school.stage((index) => (index === 0 ? 'target' : 'source')),
    [],
  )
  const owner = await ownerOf(school, 0)
  const method = await enter(school, cardContext(context), owner)
  await planAndApply(context)
  const { plan, result } = await planAndApply(school.stage('target'))
  expect([plan.blocked, result.changes.map(({ outcome }) => outcome)]).toEqual([[], ['done']])
  const { data } = await school.target.subscriptions.list({ customer: owner.customer })
  const cards = data.map(({ metadata, default_payment_method: pinned }) => [
    metadata['crossbill_from'] === school.keys[0],
    pinned === method,
    pinned === null,
  ])
  expect(cards.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
    [false, false, false],
    [true, true, false],
  ])
  expect((await verify(school.stage('target'))).violations).toEqual([])
})
