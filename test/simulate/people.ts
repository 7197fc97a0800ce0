import { Context } from '../../src/sandbox/kernel/context.ts'
import type { World } from '../../src/sandbox/kernel/world.ts'
import { giveCustomerDiscount } from '../../src/sandbox/population/enrolling.ts'
import { Maker, type Params } from '../../src/sandbox/population/maker.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { at } from '../engine/rig.ts'
import type { Chance } from './chance.ts'
import { idIn } from './service.ts'

/** One subscriber of the old accounts at the sign-up. */
export interface Person {
  /** The instant of the sign-up, which is the anchor of the billing cycle. */
  readonly since: string
  readonly price?: PriceName
  readonly coupon?: 'welcome' | 'forever' | 'free'
  /** A discount on the customer, from the time when one could be created there. */
  readonly loyal?: true
  /** A second item. */
  readonly addon?: true
  readonly quantity?: number
  readonly taxed?: true
  /** Days of trial, enough to be still in trial when the migration begins. */
  readonly trial?: number
  /** The card is set on the subscription itself. */
  readonly pinned?: true
  /** Collection is paused in the old account. */
  readonly paused?: true
  /** Shares the customer of an earlier person, by index. */
  readonly customerOf?: number
  /** The old account owes them so much, which their next invoices take off. */
  readonly credit?: number
  /** An item that waits for their next invoice. */
  readonly pending?: number
}

interface PriceTerms {
  readonly account: 'us' | 'intl'
  readonly product: 'Membership' | 'Course' | 'Extra'
  readonly currency: string
  readonly unit_amount: number
  readonly recurring: { readonly interval: string; readonly interval_count?: number }
  readonly tax_behavior: 'exclusive' | 'inclusive'
}

const month = { interval: 'month' } as const
const of = (
  account: PriceTerms['account'],
  product: PriceTerms['product'],
  currency: string,
  unit_amount: number,
  recurring: PriceTerms['recurring'] = month,
): PriceTerms => ({
  account,
  product,
  currency,
  unit_amount,
  recurring,
  tax_behavior: account === 'us' ? 'exclusive' : 'inclusive',
})

/**
 * Two, no and three decimals; a week, a month, three months, a year; and the plans that each can
 * change to.
 */
export const prices = {
  monthly: of('us', 'Membership', 'usd', 4_900),
  premium: of('us', 'Membership', 'usd', 7_900),
  weekly: of('us', 'Membership', 'usd', 1_500, { interval: 'week' }),
  daily: of('us', 'Membership', 'usd', 300, { interval: 'day' }),
  quarterly: of('us', 'Membership', 'usd', 12_900, { interval: 'month', interval_count: 3 }),
  yearly: of('us', 'Membership', 'usd', 49_000, { interval: 'year' }),
  yen: of('us', 'Membership', 'jpy', 5_000),
  yen_premium: of('us', 'Membership', 'jpy', 8_000),
  dinar: of('us', 'Membership', 'kwd', 14_500),
  dinar_premium: of('us', 'Membership', 'kwd', 22_250),
  course: of('us', 'Course', 'usd', 2_900),
  addon: of('us', 'Extra', 'usd', 900),
  euro: of('intl', 'Membership', 'eur', 4_500),
  euro_premium: of('intl', 'Membership', 'eur', 6_900),
  pound: of('intl', 'Membership', 'gbp', 3_900),
} as const satisfies Readonly<Record<string, PriceTerms>>

export type PriceName = keyof typeof prices

/** The plan that a portal offers instead of each. */
export const otherPlan: Readonly<Partial<Record<PriceName, PriceName>>> = {
  monthly: 'premium',
  premium: 'monthly',
  yen: 'yen_premium',
  yen_premium: 'yen',
  dinar: 'dinar_premium',
  dinar_premium: 'dinar',
  euro: 'euro_premium',
  euro_premium: 'euro',
}

const sold: readonly PriceName[] = [
  'monthly',
  'monthly',
  'monthly',
  'course',
  'weekly',
  'quarterly',
  'yearly',
  'yen',
  'dinar',
  'euro',
  'pound',
]

/**
 * A random small school: month ends, all intervals, three kinds of currencies, partly used coupons,
 * trials, taxes, pauses, people with two subscriptions.
 */
export function randomPeople(random: Chance): Person[] {
  const people = Array.from({ length: random.between(2, 4) }, () => {
    const day = random.one([1, 9, 15, 28, 29, 30, 31])
    const month = random.one(['06', '07', '08', '09'])
    const last = month === '06' || month === '09' ? 30 : 31
    const two = (low: number, high: number): string => String(random.between(low, high)).padStart(2, '0')
    const since = `2026-${month}-${String(Math.min(day, last)).padStart(2, '0')}T${two(0, 23)}:${two(0, 59)}:${two(0, 59)}Z`
    const price = random.one(sold)
    const coupon = random.one([undefined, undefined, 'welcome', 'forever'] as const)
    const oddity = random.one([
      {},
      {},
      { addon: true },
      { quantity: random.between(2, 5) },
      { taxed: true },
      { loyal: true },
      { trial: random.between(100, 150) },
      { pinned: true },
      { paused: true },
    ] as const)
    const shares = random.happens(0.2)
    return { ...fitting({ since, price, ...(coupon === undefined ? {} : { coupon }), ...oddity }), shares }
  })
  // In the order of sign-ups, so that a second subscription comes after the first.
  return people
    .toSorted((a, b) => (a.since < b.since ? -1 : 1))
    .map(({ shares, ...one }, index, all): Person => {
      const other = all[index - 1]
      return shares && other !== undefined && other.loyal === undefined && sameMoney(one, other)
        ? { ...one, customerOf: index - 1 }
        : one
    })
}

/** A member who pays daily, or who owes nothing at all. */
export function withRarePeople(random: Chance, people: readonly Person[]): Person[] {
  return people.map((person, index) => {
    const isAlone = person.customerOf === undefined && !people.some(({ customerOf }) => customerOf === index)
    const { price = 'monthly', addon, trial, loyal } = person
    if (random.happens(0.1) && isAlone && addon === undefined && trial === undefined && prices[price].account === 'us')
      return { ...person, price: 'daily' as const }
    return random.happens(0.08) && loyal === undefined && prices[price].account === 'us'
      ? { ...person, coupon: 'free' as const }
      : person
  })
}

/** Somebody has money in the old account that must come along, or a debt that waits there. */
export function withMoney(random: Chance, people: readonly Person[]): Person[] {
  return people.map((person, index) => {
    const isAlone = person.customerOf === undefined && !people.some(({ customerOf }) => customerOf === index)
    const money = random.next()
    const amount = random.between(1, 9) * 700
    if (!isAlone || person.paused === true || person.coupon === 'free') return person
    return money < 0.2 ? { ...person, credit: amount } : money < 0.4 ? { ...person, pending: amount } : person
  })
}

/** Two subscriptions of one customer have a credit in common, which either of them uses. */
export function withSharedMoney(random: Chance, people: readonly Person[]): Person[] {
  return people.map((person, index) => {
    const amount = random.between(20, 60) * 1_100
    const isFirst = people.some(({ customerOf }) => customerOf === index)
    return isFirst && person.customerOf === undefined ? { ...person, credit: amount } : person
  })
}

/** What does not go together is left out. */
function fitting(person: Person): Person {
  const { addon, coupon, loyal, ...rest } = person
  return {
    ...rest,
    // A customer's discount applies only to a subscription without its own discount.
    ...(coupon === undefined || loyal === true ? {} : { coupon }),
    ...(loyal === true ? { loyal } : {}),
    ...(addon === true && rest.price === 'monthly' ? { addon } : {}),
  }
}

function sameMoney(a: Person, b: Person): boolean {
  const [one, other] = [prices[a.price ?? 'monthly'], prices[b.price ?? 'monthly']]
  return one.account === other.account && one.currency === other.currency
}

export const accountOf = ({ price = 'monthly' }: Person): 'us' | 'intl' => prices[price].account

/** The offer in Kajabi that a price gives. */
export const offerOf = (price: PriceName): 'membership' | 'course' => (price === 'course' ? 'course' : 'membership')

/** Ids in the old accounts. */
export interface OldTown {
  readonly sandbox: Sandbox
  readonly prices: Readonly<Record<PriceName, string>>
  readonly subscriptions: readonly string[]
  readonly customers: readonly string[]
  /** Of each old account. */
  readonly coupons: Readonly<Record<string, Readonly<Record<'welcome' | 'forever', string>>>>
}

/** Two old accounts with these people, played until `now`. */
export async function oldTown(people: readonly Person[], now: string): Promise<OldTown> {
  const first = people.map(({ since }) => since).toSorted()[0] ?? now
  const sandbox = createSandbox({ clock: at(first) })
  const { world } = sandbox
  const shop = openShop(world)
  const customers: string[] = []
  const subscriptions: string[] = []
  const order = people
    .map((_, index) => index)
    .toSorted((a, b) => (people[a]?.since ?? '').localeCompare(people[b]?.since ?? ''))
  for (const index of order) {
    const person = people[index]
    if (person === undefined) continue
    await world.advance(at(person.since))
    world.transact(() => {
      const customer =
        person.customerOf === undefined ? shop.customer(person, index) : (customers[person.customerOf] ?? '')
      customers[index] = customer
      subscriptions[index] = shop.subscribe(person, customer)
    })
  }
  await world.advance(at(now))
  return { sandbox, prices: shop.prices, subscriptions, customers, coupons: shop.coupons }
}

function openShop(world: World) {
  const maker = new Maker(world)
  const post = (account: string, path: string, params: Params): string =>
    idIn(maker.post(world.account(account), path, params))
  const products = new Map<string, string>()
  const product = (account: string, name: string): string => {
    const known = products.get(`${account} ${name}`) ?? post(account, '/v1/products', { name })
    products.set(`${account} ${name}`, known)
    return known
  }
  return world.transact(() => {
    const made = Object.entries(prices).map(([name, { account, product: title, ...terms }]) => [
      name,
      post(account, '/v1/prices', { product: product(account, title), ...terms }),
    ])
    const coupons = (['us', 'intl'] as const).map((account) => [
      account,
      {
        welcome: post(account, '/v1/coupons', {
          name: 'Welcome',
          percent_off: 20,
          duration: 'repeating',
          duration_in_months: 3,
        }),
        forever: post(account, '/v1/coupons', { name: 'Forever', percent_off: 10, duration: 'forever' }),
        free: post(account, '/v1/coupons', { name: 'Free', percent_off: 100, duration: 'forever' }),
        loyal: post(account, '/v1/coupons', { name: 'Loyal', percent_off: 15, duration: 'forever' }),
        rate: post(account, '/v1/tax_rates', { display_name: 'VAT', percentage: 19, inclusive: account === 'intl' }),
      },
    ])
    const ids = Object.fromEntries(made) as Record<PriceName, string>
    const shops = Object.fromEntries(coupons) as Record<
      string,
      Record<'welcome' | 'forever' | 'free' | 'loyal' | 'rate', string>
    >
    return {
      prices: ids,
      coupons: shops,
      customer(person: Person, index: number): string {
        const account = accountOf(person)
        const card = 'pm_card_visa'
        const id = post(account, '/v1/customers', {
          email: `member-${index}@example.com`,
          name: `Member ${index}`,
          payment_method: card,
          invoice_settings: { default_payment_method: card },
        })
        if (person.loyal === true)
          giveCustomerDiscount(new Context(world, world.account(account)), id, {
            coupon: shops[account]?.loyal ?? '',
            since: world.now,
          })
        return id
      },
      subscribe(person: Person, customer: string): string {
        const account = accountOf(person)
        const { price = 'monthly', coupon, quantity = 1, taxed, trial, pinned, addon, paused, credit, pending } = person
        const shopped = shops[account]
        const method =
          pinned === true ? post(account, '/v1/payment_methods/pm_card_mastercard/attach', { customer }) : undefined
        const id = post(account, '/v1/subscriptions', {
          customer,
          items: [{ price: ids[price], quantity }, ...(addon === true ? [{ price: ids.addon }] : [])],
          ...(coupon === undefined ? {} : { discounts: [{ coupon: shopped?.[coupon] }] }),
          ...(taxed === true ? { default_tax_rates: [shopped?.rate ?? ''] } : {}),
          ...(trial === undefined ? {} : { trial_period_days: trial }),
          ...(method === undefined ? {} : { default_payment_method: method }),
        })
        if (credit !== undefined)
          post(account, `/v1/customers/${customer}/balance_transactions`, {
            amount: -credit,
            currency: prices[price].currency,
          })
        if (pending !== undefined)
          post(account, '/v1/invoiceitems', {
            customer,
            subscription: id,
            amount: pending,
            currency: prices[price].currency,
            discountable: false,
          })
        if (paused === true) post(account, `/v1/subscriptions/${id}`, { pause_collection: { behavior: 'void' } })
        return id
      },
    }
  })
}
