// The members of the school: a plan of people and subscriptions, drawn from a seed alone, before
// any object exists.
import { present } from '../../core/assert.ts'
import { type Instant, instant, secondsPerDay } from '../../core/instant.ts'
import { type Cadence, boundary, periodAround } from '../stripe/billing/calendar.ts'
import { type Chance, chanceOf, shuffled } from './chance.ts'
import {
  type Currency,
  type OldAccount,
  type ProductKey,
  cadences,
  type CadenceKey,
  currenciesOf,
} from './offerings.ts'

/**
 * What is unusual about a subscription: at most one oddity each, so that every consequence has one
 * cause.
 */
const oddities = {
  // In trial now.
  trialing: 30,
  ending: 20,
  past_due: 14,
  ended: 20,
  sent_invoice: 14,
  two_items: 40,
  quantity: 40,
  both_accounts: 25,
  second_subscription: 25,
  schedule: 9,
  paused_void: 5,
  paused_draft: 4,
  paused_until: 4,
  collection_uncollectible: 2,
  status_paused: 3,
  unpaid: 4,
  incomplete: 3,
  tiered: 8,
  volume: 4,
  metered: 6,
  balance_credit: 6,
  balance_debit: 2,
  pending_item: 6,
  draft_invoice: 3,
  automatic_tax: 20,
  tax_id: 4,
  item_tax: 10,
  item_discount: 6,
  customer_discount: 18,
  link: 6,
  bacs: 4,
  acss: 2,
  sepa_source: 3,
  bank_debit: 8,
  legacy_card: 60,
  legacy_source: 15,
  application: 5,
  thresholds: 2,
  cancel_at_later: 6,
  declines_later: 8,
  grandfathered: 30,
  multi_currency: 12,
  mixed_intervals: 2,
  anchor_config: 6,
  moved_anchor: 10,
  backdated: 6,
  once_customer_discount: 3,
  timed_customer_discount: 4,
} as const satisfies Record<string, number>
export type Oddity = keyof typeof oddities

type DiscountPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'forever' | 'once' | 'amount' | 'promotion' }
  /** `left`: whether discounted renewals are still to come. */
  | { readonly kind: 'repeating'; readonly months: number }

interface Person {
  readonly name: string
  readonly email: string
  readonly country: string
}

export interface MemberPlan {
  readonly n: number
  readonly account: OldAccount
  readonly currency: Currency
  readonly person: Person
  /** The earlier member whose customer this subscription belongs to. */
  readonly customerOf: number | undefined
  readonly product: ProductKey
  readonly cadence: CadenceKey
  /** Sold by the old checkout, which made a separate price for every order. */
  readonly adHoc: boolean
  readonly started: Instant
  readonly discount: DiscountPlan
  readonly tax: 'none' | 'exclusive' | 'inclusive'
  readonly methodOn: 'customer' | 'subscription'
  readonly mode: 'classic' | 'flexible'
  readonly oddity: Oddity | undefined
}

export interface SchoolSize {
  readonly subscribers: number
  readonly clock: Instant
  /** The old accounts of the school. */
  readonly accounts: readonly OldAccount[]
}

export function planMembers(seed: number, size: SchoolSize): MemberPlan[] {
  const { subscribers, clock, accounts } = size
  if (accounts.length === 0) return []
  const dealt = deal(seed, subscribers)
  const plans: MemberPlan[] = []
  for (let n = 0; n < subscribers; n++)
    plans.push(planMember({ seed, n, clock, accounts, oddity: dealt.get(n), earlier: plans }))
  return plans
}

/**
 * Distributes the oddities by their shares (per thousand); in a large enough school each of them
 * occurs.
 */
function deal(seed: number, subscribers: number): Map<number, Oddity> {
  const order = shuffled(seed, 'oddities', subscribers)
  const dealt = new Map<number, Oddity>()
  let next = 0
  for (const [oddity, share] of Object.entries(oddities) as [Oddity, number][]) {
    const wanted = Math.round((subscribers * share) / 1_000)
    const count = subscribers >= 500 ? Math.max(1, wanted) : wanted
    for (let i = 0; i < count && next < order.length; i++) dealt.set(present(order[next++], 'a member'), oddity)
  }
  return dealt
}

const countries: Readonly<Record<Currency, readonly string[]>> = {
  usd: ['US'],
  cad: ['CA'],
  gbp: ['GB'],
  eur: ['DE', 'FR', 'IE', 'NL'],
  aud: ['AU'],
  jpy: ['JP'],
  kwd: ['KW'],
}

interface Drawing {
  readonly seed: number
  readonly n: number
  readonly clock: Instant
  readonly accounts: readonly OldAccount[]
  readonly oddity: Oddity | undefined
  readonly earlier: readonly MemberPlan[]
}

function planMember(drawing: Drawing): MemberPlan {
  const { seed, n, clock, accounts, oddity, earlier } = drawing
  const chance = chanceOf(seed, `member/${n}`)
  const known = relatedMember(chance, oddity, earlier)
  const same = oddity === 'second_subscription' ? known : undefined
  const wanted = same?.account ?? accountFor(chance, oddity)
  const account = accounts.includes(wanted) ? wanted : present(accounts[0], 'an old account')
  const currency = same?.currency ?? currencyFor(chance, account, oddity)
  const product = chance.weighted({ membership: 60, diploma: 14, cohort: 8, haircare: 12, library: 6 })
  const cadence = cadenceFor(chance, product, oddity)
  const country = chance.pick(countries[currency])
  const person = known?.person ?? personOf(chance, n, country)
  return {
    n,
    account,
    currency,
    person,
    customerOf: same?.n,
    product,
    cadence,
    adHoc: plainPrice(oddity) && chance.happens(0.12),
    started: startOf(chance, { cadence: cadences[cadence], clock, oddity }),
    discount: takesDiscount(oddity) ? discountFor(chance) : { kind: 'none' },
    tax: taxFor(chance, account, oddity),
    methodOn: chance.happens(0.2) && oddity !== 'status_paused' ? 'subscription' : 'customer',
    mode: chance.happens(0.6) ? 'classic' : 'flexible',
    oddity,
  }
}

/** An earlier member without oddities, to be the same person or to share the customer. */
function relatedMember(
  chance: Chance,
  oddity: Oddity | undefined,
  earlier: readonly MemberPlan[],
): MemberPlan | undefined {
  if (oddity !== 'both_accounts' && oddity !== 'second_subscription') return undefined
  if (earlier.length === 0) return undefined
  const first = chance.whole(0, earlier.length - 1)
  for (let step = 0; step < earlier.length; step++) {
    const plan = present(earlier[(first + step) % earlier.length], 'an earlier member')
    if (plan.oddity === undefined && (oddity !== 'both_accounts' || plan.account === 'us')) return plan
  }
  return undefined
}

function accountFor(chance: Chance, oddity: Oddity | undefined): OldAccount {
  if (oddity === 'bacs' || oddity === 'sepa_source' || oddity === 'both_accounts' || oddity === 'unpaid') return 'intl'
  if (oddity === 'acss' || oddity === 'bank_debit') return 'us'
  return chance.happens(0.58) ? 'us' : 'intl'
}

function currencyFor(chance: Chance, account: OldAccount, oddity: Oddity | undefined): Currency {
  const wanted: Partial<Record<Oddity, Currency>> = { bacs: 'gbp', sepa_source: 'eur', acss: 'cad', bank_debit: 'usd' }
  const only = oddity === undefined ? undefined : wanted[oddity]
  if (only !== undefined && currenciesOf[account].includes(only)) return only
  if (account === 'us') return chance.weighted({ usd: 85, cad: 15 })
  return chance.weighted({ gbp: 38, eur: 34, aud: 16, jpy: 8, kwd: 4 })
}

function plainPrice(oddity: Oddity | undefined): boolean {
  const special: readonly (Oddity | undefined)[] = ['tiered', 'volume', 'metered', 'grandfathered', 'multi_currency']
  return !special.includes(oddity)
}

function takesDiscount(oddity: Oddity | undefined): boolean {
  const clean: readonly (Oddity | undefined)[] = [
    'customer_discount',
    'once_customer_discount',
    'timed_customer_discount',
    'item_discount',
    'metered',
    'incomplete',
    'ended',
    'past_due',
    'unpaid',
    'status_paused',
  ]
  return !clean.includes(oddity)
}

function cadenceFor(chance: Chance, product: ProductKey, oddity: Oddity | undefined): CadenceKey {
  // Statuses that must be reached within weeks need monthly prices.
  const monthly: readonly (Oddity | undefined)[] = [
    'past_due',
    'unpaid',
    'schedule',
    'metered',
    'mixed_intervals',
    'tiered',
    'volume',
    'anchor_config',
  ]
  if (monthly.includes(oddity)) return 'month'
  if (product !== 'membership') return chance.weighted({ month: 88, quarter: 6, year: 6 })
  return chance.weighted({
    week: 4,
    fortnight: 1,
    month: 76,
    quarter: 5,
    half: 2,
    year: 10,
    two_years: 1,
    three_years: 1,
  })
}

function discountFor(chance: Chance): DiscountPlan {
  const kind = chance.weighted({ none: 76, forever: 5, once: 3, repeating: 9, amount: 4, promotion: 3 })
  return kind === 'repeating' ? { kind, months: chance.pick([3, 6, 12]) } : { kind }
}

function taxFor(chance: Chance, account: OldAccount, oddity: Oddity | undefined): MemberPlan['tax'] {
  if (oddity === 'automatic_tax' || oddity === 'item_tax') return 'none'
  if (account === 'us') return chance.weighted({ none: 80, exclusive: 20, inclusive: 0 })
  return chance.weighted({ none: 30, exclusive: 25, inclusive: 45 })
}

/**
 * When a subscription began. Days 29 to 31 are more frequent than in reality, and some yearly
 * subscriptions began on a 29 February. Subscriptions that must fail before the clock begin so that
 * they renewed a suitable number of days ago.
 */
function startOf(chance: Chance, about: { cadence: Cadence; clock: Instant; oddity: Oddity | undefined }): Instant {
  const { cadence, clock, oddity } = about
  const timeOfDay = chance.whole(0, secondsPerDay - 1)
  if (oddity === 'trialing') return instant(clock - chance.whole(1, 6) * secondsPerDay - timeOfDay)
  if (oddity === 'incomplete') return instant(clock - chance.whole(1_800, 70_000))
  const renewedDaysAgo: Partial<Record<Oddity, readonly [number, number]>> = {
    past_due: [1, 6],
    unpaid: [17, 24],
    status_paused: [5, 20],
    declines_later: [9, 25],
  }
  const wanted = oddity === undefined ? undefined : renewedDaysAgo[oddity]
  const longest = cadence.interval === 'year' ? 4 * 365 : 900
  const anchor = clock - chance.whole(40, longest) * secondsPerDay
  if (wanted !== undefined) {
    const renewed = clock - chance.whole(wanted[0], wanted[1]) * secondsPerDay - (timeOfDay % 40_000)
    return instant(boundary({ at: renewed }, { interval: 'month', count: 1 }, -chance.whole(2, 20)))
  }
  const date = new Date(anchor * 1_000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  if (cadence.interval === 'year' && chance.happens(0.08)) return instant(Date.UTC(2024, 1, 29) / 1_000 + timeOfDay)
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const day = chance.happens(0.18) ? Math.min(last, chance.whole(28, 31)) : date.getUTCDate()
  return instant(Math.min(Date.UTC(year, month, day) / 1_000 + timeOfDay, clock - 2 * secondsPerDay))
}

/**
 * The last period that ended before the clock, if any: it must be played so that the past is
 * realistic.
 */
export function lastPeriod(plan: MemberPlan, clock: Instant): { start: number; end: number } | undefined {
  const cadence = cadences[plan.cadence]
  const current = periodAround({ at: plan.started }, cadence, clock)
  if (current.start <= plan.started) return undefined
  return periodAround({ at: plan.started }, cadence, current.start - 1)
}

const given =
  'Ada Bea Cleo Dana Elif Freya Gwen Hana Iris Jun Kaya Lena Mina Nora Olga Pia Rosa Sara Tara Uma Vera Willa Yara Zoe'.split(
    ' ',
  )
const family =
  'Abbott Berger Castro Dubois Evans Fischer Garcia Hughes Ito Jansen Keller Lind Moreau Novak Olsen Patel Quinn Rossi Sato Turner Unger Vargas Weber Young'.split(
    ' ',
  )

function personOf(chance: Chance, n: number, country: string): Person {
  const [first, last] = [chance.pick(given), chance.pick(family)]
  const tag = chance.happens(0.03) ? '+school' : ''
  return {
    name: `${first} ${last}`,
    email: `${first}.${last}.${n}${tag}@example.com`.toLowerCase(),
    country,
  }
}
