import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../src/engine/context.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'
import { openPulled, type School } from './school.ts'
import { member, prices, violationsOf } from './stories/world.ts'

/*
 * A cancel stops the collection of all open invoices of its customer. The member of these tests has
 * two subscriptions; an invoice of the second one is being retried when the first is cancelled.
 */

let begun: Sandbox
const ids: string[] = []
beforeAll(async () => {
  begun = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(begun)
  const { monthly, addon } = await prices(us)
  const customer = await member(us)
  ids.push((await us.subscriptions.create({ customer, items: [{ price: monthly ?? '' }] })).id)
  await begun.world.advance(at('2026-01-20T08:00:00Z'))
  const { id: card } = await us.paymentMethods.attach('pm_card_mastercard', { customer })
  const own = { items: [{ price: addon ?? '' }], default_payment_method: card }
  ids.push((await us.subscriptions.create({ customer, ...own })).id)
  await begun.world.advance(at('2026-02-25T00:00:00Z'))
})
afterAll(() => begun.close())

/** The old subscription that is cancelled or reverted, and its sibling, by stage. */
const cases = {
  settle: { first: 'settled', sibling: 'source', account: 'us' },
  revert: { first: 'source', sibling: 'target', account: 'target' },
} as const

type Name = keyof typeof cases

/** Both where they are before the last step; the sibling's renewal was declined. */
async function prepared(name: Name): Promise<{ school: School; context: () => Context }> {
  const { first, sibling, account } = cases[name]
  const school = await openPulled(cloneSandbox(begun))
  const [one] = ids
  const stages = (stage: 'target' | 'source' | 'settled'): Context =>
    school.stage(({ subscription }) => (subscription === one ? stage : sibling))
  await planAndApply(stages('target'))
  const client = clientOf(school.rig.sandbox, account)
  for (const { id, items } of (await client.subscriptions.list({})).data)
    if (items.data[0]?.price.unit_amount === 900) await act(school, { act: 'decline_card', account, subscription: id })
  await school.advance('2026-03-21T00:00:00Z')
  return { school, context: () => stages(first) }
}

async function act({ rig }: School, input: Readonly<Record<string, string>>): Promise<void> {
  await rig.sandbox.fetch('https://sandbox/_sandbox/act', { method: 'POST', body: JSON.stringify(input) })
}

/** Open invoices: whether Stripe collects them, and whether a mark is left. */
async function open({ rig }: School, name: Name): Promise<readonly string[]> {
  const { data } = await clientOf(rig.sandbox, cases[name].account).invoices.list({ status: 'open' })
  return data.map(({ auto_advance: on, next_payment_attempt: next, metadata }) =>
    [on && next !== null ? 'collected' : 'stopped', ...Object.keys(metadata ?? {})].join(' '),
  )
}

const stores = {
  'its own store': (own: Context) => own,
  'an empty store': (own: Context) => elsewhere(own),
} as const

test.each(Object.keys(cases) as Name[])(
  'promise 8: a %s, killed at every boundary and continued with any store, leaves every invoice of the customer collected',
  async (name) => {
    const clean = await prepared(name)
    expect(await open(clean.school, name)).toEqual(['collected'])
    const before = clean.school.rig.sent.length
    expect((await planAndApply(clean.context())).result.ok).toBe(true)
    const requests = clean.school.rig.sent.length - before
    expect(await open(clean.school, name)).toEqual(['collected'])
    await clean.school[Symbol.asyncDispose]()
    for (const boundary of boundaries(requests))
      for (const [store, of] of Object.entries(stores)) {
        // A death right before a request looks to another store like one right after the previous.
        if (store === 'an empty store' && boundary.side === 'before') continue
        const { school, context } = await prepared(name)
        await using _closing = school
        await dieAt(context(), boundary, planAndApply)
        const later = await of(context())
        const stopped = (await open(school, name)).some((one) => one.startsWith('stopped'))
        const named = (await violationsOf(later)).some((one) => one.startsWith('collection_stopped'))
        expect({ at: told(boundary), store, named }).toEqual({ at: told(boundary), store, named: stopped })
        await planAndApply(later)
        await planAndApply(later)
        const after = { open: await open(school, name), violations: await violationsOf(later) }
        expect({ at: told(boundary), store, ...after }).toEqual({
          at: told(boundary),
          store,
          open: ['collected'],
          violations: [],
        })
      }
  },
  180_000,
)

test('promise 13: where a cancel leaves the invoices of other subscriptions alone, no mark is left on them', async () => {
  const { school, context } = await prepared('settle')
  await using _closing = school
  school.rig.sandbox.world.unsure.cancel_stops_collection_of = 'subscription'
  expect((await planAndApply(context())).result.ok).toBe(true)
  expect(await open(school, 'settle')).toEqual(['collected'])
  expect(await violationsOf(context())).toEqual([])
})

test('an invoice that a person stopped since the mark is not collected again', async () => {
  const { school, context } = await prepared('settle')
  await using _closing = school
  const us = clientOf(school.rig.sandbox)
  const [invoice] = (await us.invoices.list({ status: 'open' })).data
  const metadata = { crossbill_collect: ids[0] ?? '' }
  await us.invoices.update(invoice?.id ?? '', { auto_advance: false, metadata })
  expect((await planAndApply(context())).result.ok).toBe(true)
  expect(await open(school, 'settle')).toEqual(['stopped'])
})
