// What goes on beside the subscriptions of the old accounts: payment plans that the old checkout runs itself, links that still sell, an
// integration that takes access away when it hears of a cancellation.
import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay } from '../../core/instant.ts'
import { revoke } from '../kajabi/access.ts'
import { siteOf } from '../kajabi/module.ts'
import type { Context } from '../kernel/context.ts'
import type { Module } from '../kernel/module.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import { charges, invoices } from '../stripe/billing/rows.ts'
import { customers } from '../stripe/customer-row.ts'
import { paymentMethods } from '../stripe/payment-method-row.ts'
import { calm } from '../stripe/test-cards.ts'
import { chanceOf, spread } from './chance.ts'
import { type School, addressIn } from './enrolling.ts'
import { accessTitle } from './kajabi.ts'
import { Maker, idOf } from './maker.ts'
import { type ProductKey, products } from './offerings.ts'
import { newCard } from './wallets.ts'

/** A payment plan the old checkout runs: so many charges, a month apart, without invoices. */
interface OutsidePlanRow extends Row {
  readonly customer: string
  readonly method: string
  readonly amount: number
  readonly currency: string
  readonly left: number
  readonly next: Instant
}

const outsidePlans: TableDefinition<OutsidePlanRow> = { name: 'outside_plans' }

/** A checkout link that was forgotten. */
interface LateSignupRow extends Row {
  readonly product: ProductKey
  readonly price: string
}

const lateSignups: TableDefinition<LateSignupRow> = { name: 'late_signups' }

interface IntegrationRow extends Row {
  /** Seconds after the news at which access goes. */
  readonly delays: readonly number[]
}

const integrations: TableDefinition<IntegrationRow> = { name: 'old_integrations' }
const integrationId = 'access-revoker'

export function openOldBusiness(school: School, about: { subscribers: number; surprises: boolean }): void {
  const outside = about.subscribers >= 100 ? Math.max(1, Math.round(about.subscribers * 0.006)) : 0
  for (let n = 0; n < outside; n++) startOutsidePlan(school, n)
  if (!about.surprises) return
  for (let n = 0; n < Math.max(1, Math.round(about.subscribers / 300)); n++) leaveLink(school, n)
  for (const plan of school.plans) {
    const context = school.maker.context(school.shop(plan).account)
    if (context.table(integrations).has(integrationId)) continue
    const delays = [45, 600, 5_400, secondsPerDay, 2 * secondsPerDay + 1_200]
    context.table(integrations).put({ id: integrationId, created: context.now, delays })
  }
}

function startOutsidePlan(school: School, n: number): void {
  const chance = chanceOf(school.seed, `outside/${n}`)
  const account = school.maker.world.account('us')
  const context = school.maker.context(account)
  const customer = idOf(
    school.maker.post(account, '/v1/customers', {
      name: `Plan Payer ${n}`,
      email: `plan.payer.${n}@example.com`,
      address: addressIn('US'),
      metadata: { samcart_plan: String(n) },
    }),
  )
  const billing_details = {
    address: { city: null, country: 'US', line1: null, line2: null, postal_code: null, state: null },
    email: null,
    name: null,
    phone: null,
    tax_id: null,
  }
  const method = newCard(context, {
    customer,
    form: 'payment_method',
    billing_details,
    temper: calm,
    chance,
    clock: school.clock,
  })
  const total = chance.whole(6, 12)
  const made = chance.whole(2, 4)
  const first = instant(context.now - made * 30 * secondsPerDay - chance.whole(0, 20) * secondsPerDay)
  const row: OutsidePlanRow = {
    id: `plan_${n}`,
    created: context.now,
    customer,
    method: method.id,
    amount: chance.pick([9_700, 14_700, 19_700]),
    currency: 'usd',
    left: total,
    next: first,
  }
  context.table(outsidePlans).put(row)
  while (present(context.table(outsidePlans).get(row.id), row.id).next <= context.now) chargeOutside(context, row.id)
}

/** One payment of a plan: a charge without an invoice, and the next one a month (30 days) later. */
function chargeOutside(context: Context, id: string): void {
  const row = context.table(outsidePlans).get(id)
  if (row === undefined || row.left === 0) return
  context.table(charges).put({
    id: context.newId('ch'),
    created: row.next,
    customer: row.customer,
    invoice: null,
    subscription: null,
    payment_intent: null,
    payment_method: row.method,
    amount: row.amount,
    amount_refunded: 0,
    currency: row.currency,
    status: 'succeeded',
    failure: null,
    description: 'SamCart payment plan',
    disputed: false,
    metadata: { samcart_plan: row.id },
  })
  const next = instant(row.next + 30 * secondsPerDay)
  context.table(outsidePlans).put({ ...row, left: row.left - 1, next })
  if (row.left > 1 && next > context.now) context.schedule(next, 'school.outside_charge', id)
}

function leaveLink(school: School, n: number): void {
  const chance = chanceOf(school.seed, `link/${n}`)
  const plan = present(
    school.plans.find((candidate) => candidate.account === 'us' && candidate.currency === 'usd'),
    'a member of the us account',
  )
  const shop = school.shop(plan)
  const context = school.maker.context(shop.account)
  const product = chance.pick(['membership', 'library'] as const)
  const price = shop.price(product, 'month', 'usd')
  const id = `late_${n}`
  context.table(lateSignups).put({ id, created: context.now, product, price })
  const at = instant(context.now + chance.whole(2, 60) * secondsPerDay + chance.whole(0, secondsPerDay - 1))
  context.schedule(at, 'school.late_signup', id)
}

function signUpLate(context: Context, id: string): void {
  const row = context.table(lateSignups).get(id)
  if (row === undefined) return
  const { account, world } = context
  const maker = new Maker(world)
  const customer = idOf(
    maker.post(account, '/v1/customers', { name: `Late ${id}`, email: `${id}@example.com`, address: addressIn('US') }),
  )
  const method = newCard(context, {
    customer,
    form: 'payment_method',
    billing_details: {
      address: { city: null, country: 'US', line1: null, line2: null, postal_code: null, state: null },
      email: null,
      name: null,
      phone: null,
      tax_id: null,
    },
    temper: calm,
    chance: chanceOf(world.seed, `late/${id}`),
    clock: context.now,
  })
  maker.post(account, '/v1/subscriptions', {
    customer,
    items: [{ price: row.price }],
    default_payment_method: method.id,
    metadata: { checkout_link: id },
  })
}

/** The old integration hears of an ended subscription and, in its own time, revokes what the member had in Kajabi. */
function hearOfEnd(context: Context, object: object): void {
  const row = context.table(integrations).get(integrationId)
  const ended = object as { id?: unknown; customer?: unknown; items?: { data?: { price?: { product?: unknown } }[] } }
  if (row === undefined || typeof ended.id !== 'string' || typeof ended.customer !== 'string') return
  const delay = row.delays[spread(ended.id, row.delays.length)] ?? 0
  context.schedule(instant(context.now + delay), 'school.old_revoke', ended.customer)
}

function revokeOld(context: Context, customer: string): void {
  const site = siteOf(context.world)
  const email = context.table(customers).get(customer)?.email ?? ''
  const contact = site.contactOf(email)
  if (contact === undefined) return
  const titles = new Set((Object.keys(products) as ProductKey[]).map(accessTitle))
  for (const grant of site.grantsOf(contact.id))
    if (titles.has(site.offers.get(grant.offer)?.title ?? '')) revoke(site, contact.id, grant.offer, 'Revoked')
}

/** Members who are sent invoices pay when they are reminded, in whichever account reminds them. */
function hearReminder(context: Context, object: object): void {
  const { id, customer } = object as { id?: unknown; customer?: unknown }
  if (typeof id !== 'string' || typeof customer !== 'string') return
  if (context.table(customers).get(customer)?.metadata['member'] === undefined) return
  // The same number of hours in every world and account: it follows from the customer alone.
  const hours = 5 + spread(customer, 60)
  context.schedule(instant(context.now + hours * 3_600), 'school.pay_sent', id)
}

function paySent(context: Context, invoice: string): void {
  const customer = context.table(invoices).get(invoice)?.customer ?? ''
  const [method] = context.table(paymentMethods).by('customer', customer)
  const how = method === undefined ? { paid_out_of_band: true } : { payment_method: method.id }
  // A refusal (paid or voided meanwhile) is fine: nothing is owed then.
  new Maker(context.world).try(context.account, `/v1/invoices/${invoice}/pay`, how)
}

export const schoolModule: Module = {
  due: {
    'school.outside_charge': { rank: 150, run: chargeOutside },
    'school.late_signup': { rank: 40, run: signUpLate },
    'school.pay_sent': { rank: 60, run: paySent },
    'school.old_revoke': { rank: 210, run: revokeOld },
  },
  listener: {
    who: () => [],
    dispatch: () => undefined,
    hears: (context, type, object) => {
      if (type === 'customer.subscription.deleted') hearOfEnd(context, object())
      if (type === 'invoice.overdue') hearReminder(context, object())
    },
  },
}
