import type Stripe from 'stripe'
import { expect, test, vi } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { pull } from '../../src/engine/pull.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import type { ViolationCode } from '../../src/engine/check/violations.ts'
import { dieAt, planAndApply } from './rig.ts'
import { loaded } from './school.ts'
import { member, prices, story, successorOf, type Story } from './stories/world.ts'

// Worlds with a history, one for each violation: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

/** One member of the US account, pulled, with YAML that a test edits. */
interface Mending extends AsyncDisposable {
  readonly world: Story
  readonly us: Stripe
  readonly target: Stripe
  readonly old: string
  readonly customer: string
  files: Map<string, string>
  /** What the command line would open with the present YAML. */
  readonly context: () => Context
  /** The wave's stage, or another edit of the wave's file. */
  readonly edit: (from: RegExp, to: string) => void
  readonly successor: () => Promise<Stripe.Subscription>
}

interface Life {
  readonly months?: number
  readonly live?: (about: { us: Stripe; id: string; customer: string }) => Promise<unknown>
}

async function one({ months, live }: Life = {}): Promise<Mending> {
  let old = ''
  let customer = ''
  const world = await story({ clock: '2026-09-20T09:15:00Z', now: '2026-10-05T12:00:00Z' }, async ({ us }) => {
    const known = await prices(us)
    customer = await member(us)
    const coupon = async (duration_in_months: number): Promise<string> =>
      (await us.coupons.create({ percent_off: 20, duration: 'repeating', duration_in_months })).id
    const discounts = months === undefined ? [] : [{ coupon: await coupon(months) }]
    old = (await us.subscriptions.create({ customer, items: [{ price: known.monthly }], discounts })).id
    await live?.({ us, id: old, customer })
  })
  const it: Mending = {
    world,
    us: world.us,
    target: world.target,
    old,
    customer,
    files: new Map(world.files),
    context: () => world.rig.with(loaded(it.files)),
    edit(from, to) {
      const path = 'subscribers/us/wave-01.yaml'
      const text = present(it.files.get(path), path)
      expect(text).toMatch(from)
      it.files.set(path, text.replace(from, to))
    },
    successor: () => successorOf(world, old),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
  return it
}

async function moved(life?: Life): Promise<Mending> {
  const it = await one(life)
  it.edit(/stage: source/, 'stage: target')
  const { result } = await planAndApply(it.context())
  expect(result).toMatchObject({ ok: true })
  return it
}

const stage = (to: string) => async (it: Mending) => {
  it.edit(/stage: \w+/, `stage: ${to}`)
  await planAndApply(it.context())
}
const apply = async (it: Mending): Promise<void> => void (await planAndApply(it.context()))
const pulled = async (it: Mending): Promise<void> => {
  const { files } = await pull(it.context(), { files: it.files })
  for (const [path, text] of files) it.files.set(path, text)
}
const quantity = async (client: Stripe, id: string, to = 3): Promise<void> => {
  const { items } = await client.subscriptions.retrieve(id)
  const [item] = items.data
  await client.subscriptions.update(id, {
    items: [{ id: item?.id ?? '', quantity: to }],
    proration_behavior: 'none',
  })
}
const released = async ({ us, old }: Mending): Promise<void> => {
  await us.subscriptions.update(old, { pause_collection: '', metadata: { crossbill_hold: '' } })
}

interface Case {
  readonly codes: readonly ViolationCode[]
  readonly start?: () => Promise<Mending>
  readonly harm: (it: Mending) => Promise<unknown>
  readonly mend: (it: Mending) => Promise<unknown>
}

const dieAfterHold = async (it: Mending): Promise<void> => {
  await apply(it)
  it.edit(/stage: source/, 'stage: target')
  expect(await dieAt(it.context(), { request: 1, side: 'after' }, planAndApply)).toBe(true)
}

const cases: Readonly<Record<string, Case>> = {
  'the hold was taken off by hand': {
    codes: ['double_payer', 'hold_missing'],
    harm: ({ us, old }) => us.subscriptions.update(old, { pause_collection: '' }),
    mend: apply,
  },
  'the hold was given an end': {
    codes: ['hold_missing'],
    harm: ({ us, old }) =>
      us.subscriptions.update(old, { pause_collection: { behavior: 'void', resumes_at: 1_793_000_000 } }),
    mend: apply,
  },
  'the mark of the hold was taken away': {
    codes: ['hold_missing'],
    harm: ({ us, old }) => us.subscriptions.update(old, { metadata: { crossbill_hold: '' } }),
    mend: apply,
  },
  'a run died after the hold': { codes: ['held_without_successor'], start: one, harm: dieAfterHold, mend: apply },
  'the new one’s collection was paused: back to the source': {
    codes: ['no_payer', 'paused_in_target'],
    harm: async ({ target, successor }) =>
      target.subscriptions.update((await successor()).id, { pause_collection: { behavior: 'void' } }),
    mend: stage('source'),
  },
  'settled by hand under our mark, and nothing continues it: excluded': {
    codes: ['no_payer'],
    start: one,
    harm: async (it) => {
      await apply(it)
      const comment = 'crossbill settled, continues as sub_lost'
      await it.us.subscriptions.cancel(it.old, { cancellation_details: { comment } })
    },
    mend: async (it) => it.edit(/(sub_\w+:\n)/, '$1    excluded: left for good\n'),
  },
  'the member changed the quantity in the target': {
    codes: ['terms_differ'],
    harm: async ({ target, successor }) => quantity(target, (await successor()).id),
    mend: pulled,
  },
  'the member gave the new one a card of its own': {
    codes: ['terms_differ'],
    harm: async ({ target, successor, customer }) => {
      const card = await target.paymentMethods.attach('pm_card_mastercard', { customer })
      await target.subscriptions.update((await successor()).id, { default_payment_method: card.id })
    },
    mend: pulled,
  },
  'an end later than the period was set': {
    codes: ['terms_differ'],
    harm: async ({ target, successor }) =>
      target.subscriptions.update((await successor()).id, { cancel_at: 1_830_000_000, proration_behavior: 'none' }),
    mend: pulled,
  },
  'the member lets the new one end with its period': {
    codes: ['terms_differ'],
    harm: async ({ target, successor }) =>
      target.subscriptions.update((await successor()).id, { cancel_at_period_end: true }),
    mend: pulled,
  },
  'the billing date was moved': {
    codes: ['terms_differ', 'next_charge_differs'],
    harm: async ({ target, successor }) =>
      target.subscriptions.update((await successor()).id, { trial_end: 1_795_000_000, proration_behavior: 'none' }),
    mend: pulled,
  },
  'a discount is gone': {
    codes: ['discount_lost'],
    start: () => moved({ months: 3 }),
    harm: async ({ target, successor }) => target.subscriptions.deleteDiscount((await successor()).id),
    mend: async (it) => {
      await stage('source')(it)
      await stage('target')(it)
    },
  },
  'a subscription was born in the source': {
    codes: ['undeclared_subscription'],
    harm: async ({ us, old, customer }) => {
      const { items } = await us.subscriptions.retrieve(old)
      await us.subscriptions.create({ customer, items: [{ price: items.data[0]?.price.id ?? '' }] })
    },
    mend: pulled,
  },
  'a second successor': {
    codes: ['duplicate_target'],
    harm: async ({ target, successor, customer }) => {
      const { items, metadata } = await successor()
      await target.subscriptions.create({ customer, items: [{ price: items.data[0]?.price.id ?? '' }], metadata })
    },
    mend: async ({ target, successor }) => target.subscriptions.cancel((await successor()).id),
  },
  'the member left in the target': {
    codes: ['ended_in_target'],
    harm: async ({ target, successor }) => target.subscriptions.cancel((await successor()).id),
    mend: stage('settled'),
  },
  'the member left in the target, and the old one was released by hand': {
    codes: ['ended_in_target'],
    harm: async (it) => {
      await it.target.subscriptions.cancel((await it.successor()).id)
      await released(it)
      // A cancel always has a message.
      expect((await makePlan(it.context())).blocked).toMatchObject([{ code: 'resumed_in_source' }])
    },
    mend: stage('settled'),
  },
  'the member left in the target, and is to stay in the source': {
    codes: ['ended_in_target'],
    harm: async (it) => {
      await it.target.subscriptions.cancel((await it.successor()).id)
      await released(it)
    },
    mend: async (it) =>
      it.edit(/stage: target([^]*?sub_\w+:\n)/, 'stage: source$1    excluded: asked to stay where they were\n'),
  },
  'the member left in the source: the new one goes, too': {
    codes: ['cancelled_in_source'],
    harm: ({ us, old }) => us.subscriptions.cancel(old),
    mend: async ({ target, successor }) => target.subscriptions.cancel((await successor()).id),
  },
  'the old one was cancelled, and the new one is to go on': {
    codes: ['cancelled_in_source'],
    harm: ({ us, old }) => us.subscriptions.cancel(old),
    mend: async (it) => it.edit(/(sub_\w+:\n)/, '$1    override: [cancelled_in_source]\n'),
  },
  'an item was added in the old account: billed there at once': {
    codes: ['money_on_held_source'],
    harm: ({ us, old, customer }) =>
      us.invoiceItems.create({ customer, subscription: old, amount: 2_500, currency: 'usd' }),
    mend: async ({ us, customer }) => {
      for (const { id } of (await us.invoiceItems.list({ customer, pending: true })).data) await us.invoiceItems.del(id)
      await us.invoiceItems.create({ customer, amount: 2_500, currency: 'usd' })
      const invoice = await us.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
      await us.invoices.pay(invoice.id)
    },
  },
  'the held one was changed: the same in the target, and said so': {
    codes: ['drift_on_held_source'],
    harm: ({ us, old }) => quantity(us, old),
    mend: async (it) => {
      await quantity(it.target, (await it.successor()).id)
      it.edit(/(sub_\w+:\n)/, '$1    override: [drift_on_held_source]\n')
    },
  },
  'an invoice of the old one is being collected': {
    codes: ['open_invoice_on_source'],
    harm: async ({ us, old, customer }) => {
      await us.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
      const failing = (await us.paymentMethods.list({ customer })).data[0]?.id ?? ''
      await us.invoiceItems.create({ customer, subscription: old, amount: 500, currency: 'usd' })
      const invoice = await us.invoices.create({ customer, subscription: old, default_payment_method: failing })
      await us.invoices.finalizeInvoice(invoice.id, { auto_advance: true })
    },
    mend: async ({ us, old }) => {
      for (const { id } of (await us.invoices.list({ subscription: old, status: 'open' })).data)
        await us.invoices.voidInvoice(id)
    },
  },
  'the wrong one of two cards is charged': {
    codes: ['payment_method_differs'],
    start: () => moved({ live: ({ us, customer }) => us.paymentMethods.attach('pm_card_mastercard', { customer }) }),
    harm: async ({ target, customer }) => {
      const { invoice_settings: settings } = (await target.customers.retrieve(customer)) as Stripe.Customer
      const cards = (await target.paymentMethods.list({ customer })).data
      const other = cards.find(({ id }) => id !== settings.default_payment_method)?.id ?? ''
      await target.customers.update(customer, { invoice_settings: { default_payment_method: other } })
    },
    mend: async (it) => {
      const [{ fix } = { fix: '' }] = (await verify(it.context())).violations
      const [, card = '', customer = ''] = /make (\w+) the default of (\w+)/.exec(fix) ?? []
      await it.target.customers.update(customer, { invoice_settings: { default_payment_method: card } })
    },
  },
}

test.each(Object.keys(cases))('the advice of verify repairs its finding: %s', async (name) => {
  const { codes, start = moved, harm, mend } = present(cases[name], name)
  await using it = await start()
  await harm(it)
  const { violations } = await verify(it.context())
  expect(violations.map(({ code }) => code)).toEqual(codes)
  for (const { detail, fix } of violations) expect(detail.length * fix.length).toBeGreaterThan(0)
  await mend(it)
  expect((await verify(it.context())).violations).toEqual([])
  expect((await makePlan(it.context())).changes.map(({ address, action }) => `${action} ${address}`)).toEqual([])
})

test('excluded after the move: both accounts would still charge, and verify reports it', async () => {
  await using it = await moved()
  it.edit(/stage: target([^]*?sub_\w+:\n)/, 'stage: source$1    excluded: a mistake\n')
  expect((await verify(it.context())).violations).toEqual([])
  await it.us.subscriptions.update(it.old, { pause_collection: '' })
  expect((await verify(it.context())).violations.map(({ code }) => code)).toEqual(['double_payer', 'hold_missing'])
  await apply(it)
  expect((await verify(it.context())).violations).toEqual([])
})

test('a removed mark of a hold is written again with the pause before the hold, and a revert releases it', async () => {
  await using it = await moved({ months: 3 })
  await it.us.subscriptions.update(it.old, { metadata: { crossbill_hold: '' } })
  await apply(it)
  const { metadata } = await it.us.subscriptions.retrieve(it.old)
  expect(metadata['crossbill_hold']).toContain('"before":null')
  await stage('source')(it)
  expect((await it.us.subscriptions.retrieve(it.old)).pause_collection).toBeNull()
  await it.world.advance('2027-02-01T00:00:00Z')
  expect(it.world.differences()).toEqual([])
})

test('an adopted change is no longer drift; another change is', async () => {
  await using it = await moved()
  await quantity(it.target, (await it.successor()).id)
  expect((await makePlan(it.context())).drift).toMatchObject([{ code: 'changed_in_target' }])
  const { notes } = await pull(it.context(), { files: it.files })
  expect(notes).toContain(`us/${it.old} changed in the target: items or quantities`)
  await pulled(it)
  expect(it.files.get('subscribers/us/wave-01.yaml')).toContain('quantity: 3')
  expect((await makePlan(it.context())).drift).toEqual([])
  expect((await pull(it.context(), { files: it.files })).files.size).toBe(0)
  await it.target.subscriptions.update((await it.successor()).id, { cancel_at_period_end: true })
  expect((await makePlan(it.context())).drift).toMatchObject([{ message: 'changed in the target: its end' }])
})

test('a pull adopts what was changed in the target although another part was changed in the old account', async () => {
  await using it = await moved()
  const { id } = await it.successor()
  await it.us.subscriptions.update(it.old, { collection_method: 'send_invoice', days_until_due: 14 })
  await quantity(it.target, id)
  const codes = async () => (await makePlan(it.context())).drift.map(({ code }) => code)
  expect(await codes()).toEqual(['drift_on_held_source', 'changed_in_target'])
  await pulled(it)
  expect(it.files.get('subscribers/us/wave-01.yaml')).toContain('quantity: 3')
  expect(it.files.get('subscribers/us/wave-01.yaml')).not.toContain('send_invoice')
  expect(await codes()).toEqual(['drift_on_held_source'])
  // The same part was changed on both sides: which one is meant is for a person to say.
  await quantity(it.us, it.old, 5)
  await quantity(it.target, id, 4)
  await pulled(it)
  expect(it.files.get('subscribers/us/wave-01.yaml')).not.toContain('quantity: 4')
})

test('changed in the source after the wave was set to move: a pull reports it, and the move continues', async () => {
  await using it = await one()
  it.edit(/stage: source/, 'stage: target')
  await quantity(it.us, it.old)
  expect((await makePlan(it.context())).blocked).toMatchObject([{ code: 'changed_since_pull' }])
  await pulled(it)
  const { plan, result } = await planAndApply(it.context())
  expect([plan.blocked, result.ok]).toEqual([[], true])
})
