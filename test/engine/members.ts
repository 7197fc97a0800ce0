import { inStage } from '../../src/catalog/subscribers.ts'
import type Stripe from 'stripe'
import type { Catalog, Stage } from '../../src/catalog/types.ts'
import { present } from '../../src/core/assert.ts'
import { formatInstant, instant } from '../../src/core/instant.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import { chargesOf } from '../../src/sandbox/stripe/charges.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { load } from '../catalog/project.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, openRig, type Rig } from './rig.ts'

/** One member of the small school at the sign-up, in the US account. */
export interface Member {
  /** The instant of the sign-up: the anchor of the billing cycle. */
  readonly since: string
  readonly price?: 'monthly' | 'yearly' | 'quarterly' | 'daily' | 'free'
  /** A second item of the subscription. */
  readonly beside?: 'coaching'
  readonly coupon?: 'welcome' | 'forever' | 'all'
  readonly card?: string
  /** Where the card is set; on the customer by default. */
  readonly cardOn?: 'subscription'
  /** Share the customer of an earlier member, by index. */
  readonly customerOf?: number
  readonly create?: Partial<Stripe.SubscriptionCreateParams>
}

export interface Members extends AsyncDisposable {
  readonly rig: Rig
  readonly us: Stripe
  readonly target: Stripe
  /** Old subscription ids, in the order of the members. */
  readonly subscriptions: readonly string[]
  /** Keys: `us/sub_…`. */
  readonly keys: readonly string[]
  /** The catalog with every member at one stage, or each at their own. */
  at(stage: Stage | ((index: number) => Stage), policies?: string): Catalog
  /** A context for that catalog: what the command line would open after an edit of the YAML. */
  stage(stage: Stage | ((index: number) => Stage), policies?: string): Context
  /** Succeeded charges as `us 2026-12-31T09:15:00Z 4900 usd`, by member. */
  charges(): Promise<readonly (readonly string[])[]>
  advance(to: string): Promise<void>
}

const resources = `
products:
  membership: { name: Membership }
prices:
  monthly: { product: membership, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive }
  quarterly: { product: membership, currency: usd, unit_amount: 12900, recurring: { interval: month, interval_count: 3 } }
  yearly: { product: membership, currency: usd, unit_amount: 49000, recurring: { interval: year } }
coupons:
  welcome: { percent_off: 20, duration: repeating, duration_in_months: 3 }
  welcome-1-months-left: { percent_off: 20, duration: repeating, duration_in_months: 1 }
  welcome-2-months-left: { percent_off: 20, duration: repeating, duration_in_months: 2 }
  forever: { percent_off: 10, duration: forever }
`

/** Only in schools whose members need them, so that the plans of the others stay the same. */
const rarePrices = `
prices:
  daily: { product: membership, currency: usd, unit_amount: 300, recurring: { interval: day } }
  free: { product: membership, currency: usd, unit_amount: 0, recurring: { interval: month } }
  coaching: { product: membership, currency: usd, unit_amount: 1500, recurring: { interval: month } }
coupons:
  all: { percent_off: 100, duration: forever }
`

function isRare({ price, coupon, beside }: Member): boolean {
  return beside !== undefined || price === 'daily' || price === 'free' || coupon === 'all'
}

/** A US account with these members, played until `now` and copied to the target. */
export async function members(people: readonly Member[], now: string): Promise<Members> {
  const about = JSON.stringify([people, now])
  const lived = pasts.get(about) ?? live(people, now)
  pasts.set(about, lived)
  const { sandbox, declared, subscriptions, customers } = await lived
  const rig = await openRig(empty(), cloneSandbox(sandbox))
  const us = clientOf(rig.sandbox)
  const target = clientOf(rig.sandbox, 'target')
  await importCopy(rig)
  const catalogAt: Members['at'] = (stage, policies = '') => {
    const { project } = loaded({ 'project.yaml': projectYaml(policies) })
    const subscribers = declared.subscribers.map((one, index) =>
      inStage(one, typeof stage === 'string' ? stage : stage(index)),
    )
    const digest = JSON.stringify([policies, subscribers.map((one) => one.stage)])
    return { ...declared, project, subscribers, digest }
  }
  return {
    rig,
    us,
    target,
    subscriptions,
    keys: subscriptions.map((id) => `us/${id}`),
    at: catalogAt,
    stage: (stage, policies) => rig.with(catalogAt(stage, policies)),
    async charges() {
      const from = new Map<string, string>()
      for await (const one of target.subscriptions.list({ status: 'all' }))
        from.set(one.id, one.metadata['crossbill_from']?.slice('us/'.length) ?? '')
      const all = chargesOf(rig.sandbox.world).filter(({ status }) => status === 'succeeded')
      // Manual billing affects only the customer.
      return subscriptions.map((id, index) =>
        all
          .filter(({ subscription, customer }) =>
            subscription === null
              ? customer === customers[index]
              : subscription === id || from.get(subscription) === id,
          )
          .map(({ account, at: when, amount, currency }) => `${account} ${when} ${amount} ${currency}`),
      )
    },
    advance: (to) => rig.advance(at(to)),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}

/** The history until `now`, played once: every test continues from a copy of it. */
interface Past {
  readonly sandbox: Sandbox
  /** The texts of the pull stay; only stages and policies are edited. */
  readonly declared: Catalog
  readonly subscriptions: readonly string[]
  readonly customers: readonly string[]
}

const pasts = new Map<string, Promise<Past>>()

async function live(people: readonly Member[], now: string): Promise<Past> {
  const first = people.map(({ since }) => since).toSorted()[0] ?? now
  const sandbox = createSandbox({ clock: at(first) })
  const us = clientOf(sandbox)
  const rare = people.some(isRare)
  const old = await oldCatalog(us, rare)
  const customers: string[] = []
  const subscriptions: string[] = []
  const order = people
    .map((_, index) => index)
    .toSorted((a, b) => at(people[a]?.since ?? '') - at(people[b]?.since ?? ''))
  for (const index of order) {
    const member = present(people[index], 'member')
    await sandbox.world.advance(at(member.since))
    const { customerOf: other, card = 'pm_card_visa', cardOn, price = 'monthly', beside, coupon, create } = member
    const customer = other === undefined ? await newCustomer(us, card, index) : present(customers[other], 'customer')
    customers[index] = customer
    const subscription = await us.subscriptions.create({
      customer,
      items: [price, ...(beside === undefined ? [] : [beside])].map((one) => ({ price: old.prices[one] ?? '' })),
      ...(coupon === undefined ? {} : { discounts: [{ coupon: old.coupons[coupon] ?? '' }] }),
      ...(cardOn === undefined ? {} : { default_payment_method: await onSubscription(us, customer) }),
      ...create,
    })
    subscriptions[index] = subscription.id
  }
  await sandbox.world.advance(at(now))
  const entries: string[] = []
  for (const id of subscriptions) entries.push(await entry(us, id, old.names))
  const declared = loaded({
    'project.yaml': projectYaml(''),
    'mappings/us.yaml': old.mappings,
    'subscribers/us/wave.yaml': `subscribers:\n${entries.join('')}`,
    ...(rare ? { 'rare.yaml': rarePrices } : {}),
  })
  return { sandbox, declared, subscriptions, customers }
}

/** Charges without their account: what the member sees. */
export function billsOf(charges: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return charges.map((theirs) => theirs.map((charge) => charge.split(' ').slice(1).join(' ')))
}

/** The largest number of subscriptions of one member that would collect now. */
export async function payersPerPeriod({ us, target, subscriptions }: Members): Promise<number> {
  const collecting: string[] = []
  const collects = ({ status, pause_collection: pause }: Stripe.Subscription): boolean =>
    pause === null && ['active', 'trialing', 'past_due'].includes(status)
  for await (const one of us.subscriptions.list({ status: 'all' })) if (collects(one)) collecting.push(one.id)
  for await (const one of target.subscriptions.list({ status: 'all' }))
    if (collects(one)) collecting.push(one.metadata['crossbill_from']?.slice('us/'.length) ?? '')
  return Math.max(0, ...subscriptions.map((id) => collecting.filter((one) => one === id).length))
}

function projectYaml(policies: string): string {
  return `project: school
accounts:
  target: { sandbox: true }
  us: { sandbox: true }
  intl: { sandbox: true }
${policies}`
}

function loaded(texts: Readonly<Record<string, string>>): Catalog {
  const sections = Object.fromEntries(
    resources
      .split(/\n(?=\w)/)
      .filter((text) => text.trim() !== '')
      .map((text) => [`${text.trim().split(':')[0]}.yaml`, text]),
  )
  const { catalog, findings } = load({ ...sections, ...texts })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

function empty(): Catalog {
  return loaded({ 'project.yaml': projectYaml('') })
}

/** Takes the card from the customer, for their subscription. */
async function onSubscription(us: Stripe, customer: string): Promise<string> {
  const [card] = (await us.customers.listPaymentMethods(customer)).data
  await us.customers.update(customer, { invoice_settings: { default_payment_method: '' } })
  return card?.id ?? ''
}

async function newCustomer(us: Stripe, card: string, index: number): Promise<string> {
  const customer = await us.customers.create({
    email: `member-${index}@example.com`,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  })
  return customer.id
}

async function oldCatalog(us: Stripe, rare: boolean) {
  const { id: product } = await us.products.create({ name: 'Membership' })
  const price = async (unit_amount: number, recurring: Stripe.PriceCreateParams.Recurring, more = {}) =>
    (await us.prices.create({ product, currency: 'usd', unit_amount, recurring, ...more })).id
  const prices: Readonly<Record<string, string>> = {
    monthly: await price(4900, { interval: 'month' }, { tax_behavior: 'exclusive' }),
    quarterly: await price(12900, { interval: 'month', interval_count: 3 }),
    yearly: await price(49000, { interval: 'year' }),
    ...(rare
      ? {
          daily: await price(300, { interval: 'day' }),
          free: await price(0, { interval: 'month' }),
          coaching: await price(1500, { interval: 'month' }),
        }
      : {}),
  }
  const coupons: Readonly<Record<string, string>> = {
    welcome: (await us.coupons.create({ percent_off: 20, duration: 'repeating', duration_in_months: 3 })).id,
    forever: (await us.coupons.create({ percent_off: 10, duration: 'forever' })).id,
    ...(rare ? { all: (await us.coupons.create({ percent_off: 100, duration: 'forever' })).id } : {}),
  }
  const names = new Map(Object.entries({ ...prices, ...coupons }).map(([key, id]) => [id, key]))
  const map = (entries: Readonly<Record<string, string>>): string =>
    Object.entries(entries)
      .map(([key, id]) => `  ${id}: ${key}\n`)
      .join('')
  const mappings = `products:\n  ${product}: membership\nprices:\n${map(prices)}coupons:\n${map(coupons)}`
  return { prices, coupons, names, mappings }
}

async function entry(us: Stripe, id: string, names: ReadonlyMap<string, string>): Promise<string> {
  const one = await us.subscriptions.retrieve(id, { expand: ['discounts.source.coupon', 'customer'] })
  const [item] = one.items.data
  const discounts = one.discounts.map((discount) => {
    const { source, end } = discount as Stripe.Discount
    const key = names.get((source.coupon as Stripe.Coupon).id) ?? '?'
    return `{ coupon: ${key}${end === null ? '' : `, ends: ${formatInstant(instant(end))}`} }`
  })
  const customer = one.customer as Stripe.Customer
  const lines = [
    `customer: ${customer.id}`,
    `items: [${one.items.data.map(({ price, quantity }) => `{ price: ${names.get(price.id) ?? '?'}, quantity: ${quantity} }`).join(', ')}]`,
    `anchor: ${iso(one.billing_cycle_anchor)}`,
    ...(item === undefined
      ? []
      : [
          `next_invoice: ${iso(one.trial_end !== null && one.status === 'trialing' ? one.trial_end : item.current_period_end)}`,
        ]),
    ...(one.status === 'trialing' ? [`trial_end: ${iso(one.trial_end)}`] : []),
    ...(one.cancel_at === null ? [] : [`cancel_at: ${iso(one.cancel_at)}`]),
    ...(one.cancel_at_period_end ? ['cancel_at_period_end: true'] : []),
    `payment_method: ${idOf(one.default_payment_method ?? customer.invoice_settings.default_payment_method)}`,
    ...(discounts.length === 0 ? [] : [`discounts: [${discounts.join(', ')}]`]),
  ]
  return `  ${id}:\n${lines.map((line) => `    ${line}\n`).join('')}`
}

function idOf(reference: string | { readonly id: string } | null): string {
  return typeof reference === 'string' ? reference : (reference?.id ?? '')
}

function iso(seconds: number | null): string {
  return formatInstant(instant(seconds ?? 0))
}

/** Makes Stripe's copy of the US customers and imports its copy map. */
export async function importCopy(rig: Rig): Promise<void> {
  const body = JSON.stringify({ from: 'us', to: 'target' })
  const response = await rig.sandbox.fetch('https://sandbox/_sandbox/copy', { method: 'POST', body })
  const rows = (await response.text())
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [customerOld = '', sourceOld = '', customerNew = '', sourceNew = ''] = line.split(',')
      return { source: 'us', customerOld, sourceOld, customerNew, sourceNew }
    })
  await importCopyMap(rig.context, 'us', rows)
}
