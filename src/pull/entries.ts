import { idOf } from '../core/reference.ts'
import { isOver } from '../live/subscription.ts'
import { present } from '../core/assert.ts'
import { formatInstant, type Instant } from '../core/instant.ts'
import { isJsonObject, type Json } from '../core/json.ts'
import { readHold } from '../live/source.ts'
import { desiredForm, differences } from '../kinds/form.ts'
import type { Kind, KindName } from '../kinds/kind.ts'
import { kindNamed, kinds } from '../kinds/registry.ts'
import { carriedComment, type CarriedCoupon, carriedCoupons } from './carried-coupons.ts'
import {
  consolidate,
  type Group,
  type KeyTable,
  type Member,
  membersOf,
  type PulledAccount,
  sameness,
} from './consolidate.ts'
import { couponNames, freeKey, priceNames, slug, taxRateNames } from '../catalog/keys.ts'
import type { PulledFiles } from './files.ts'
import { productsOf, Uses } from './uses.ts'
import { agreed, aside, couponValue, featuresOf, priceValue, productValue, type Written } from './values.ts'

export interface EntriesInput {
  readonly accounts: readonly PulledAccount[]
  readonly tables: ReadonlyMap<string, KeyTable>
  readonly files: PulledFiles
  readonly notes: string[]
  readonly now: Instant
}

/** The kinds that subscriptions of an old account refer to; nothing else of it is written. */
const pulledNames: ReadonlySet<KindName> = new Set([
  'meter',
  'feature',
  'product',
  'price',
  'tax_rate',
  'coupon',
  'promotion_code',
])
export const sourceKinds: readonly Kind[] = kinds.filter(({ name }) => pulledNames.has(name))

/** Writes the objects of the catalog that are in use or on offer. Returns the number of each. */
export function pulledEntries(input: EntriesInput): Record<string, number> {
  const uses = new Uses(input.accounts)
  // Objects that others name by key come first: meters and products before prices, products before
  // coupons.
  const allMeters = groupsOf(input, 'meter', uses)
  const allFeatures = groupsOf(input, 'feature', uses)
  const allProducts = groupsOf(input, 'product', uses)
  const allPrices = groupsOf(input, 'price', uses)
  const prices = allPrices.filter((group) => isKept(input, 'price', group))
  const taxRates = groupsOf(input, 'tax_rate', uses).filter((group) => isKept(input, 'tax_rate', group))
  const coupons = groupsOf(input, 'coupon', uses).filter((group) => isKept(input, 'coupon', group))
  const named = new Set([
    ...prices.map(({ members }) => members[0]?.form['product']),
    ...coupons.flatMap(({ members }) => productsOf(members[0]?.form)),
  ])
  const products = allProducts.filter(({ key }) => named.has(key))
  const metered = new Set(prices.map(({ members }) => meterOf(members[0]?.form['recurring'])))
  write(
    input,
    'meter',
    allMeters.filter(({ key }) => metered.has(key)),
    agreed,
  )
  const entitled = new Set(products.flatMap(featuresOf))
  write(
    input,
    'feature',
    allFeatures.filter(({ key }) => entitled.has(key)),
    agreed,
  )
  write(input, 'product', products, (group) => productValue(group, prices, input.tables))
  const lookupKeys = new Set<string>()
  write(input, 'price', prices, (group) => priceValue(group, lookupKeys))
  write(input, 'tax_rate', taxRates, agreed)
  write(input, 'coupon', coupons, couponValue)
  writeCarried(input, coupons)
  const codes = writeCodes(input, new Set(coupons.map(({ key }) => key)))
  const left = allPrices.length - prices.length
  if (left > 0) input.notes.push(`${left} prices without subscriptions and not on offer were left out`)
  return {
    products: products.length,
    prices: prices.length,
    tax_rates: taxRates.length,
    coupons: coupons.length,
    promotion_codes: codes,
  }
}

const kind = (name: KindName): Kind => present(kindNamed(name), `kind ${name}`)

function groupsOf(input: EntriesInput, name: KindName, uses: Uses): readonly Group[] {
  const of = kind(name)
  const taken = new Set(input.files.entriesOf(of).keys())
  const members = membersOf(of, input.accounts, input.tables, {
    used: (account, id) => uses.has(account.name, name, id),
    extra: (account) => uses.unlisted(account, name),
  })
  const written = new Map(
    [...input.files.entriesOf(of)]
      .map(([key, value]) => [sameness(of, desiredForm(of, value)), key] as const)
      .toReversed(),
  )
  return consolidate(of, members, input.tables, { written, nameOf: (first) => freeKey(namesOf(name, first), taken) })
}

function meterOf(recurring: Json | undefined): Json | undefined {
  return isJsonObject(recurring) ? recurring['meter'] : undefined
}

function namesOf(name: KindName, { id, form }: Member): readonly string[] {
  if (name === 'price') return priceNames(form)
  if (name === 'tax_rate') return taxRateNames(form)
  if (name === 'coupon') return couponNames(id, form)
  const words = [form['lookup_key'], form['name'], form['event_name']].flatMap((one) =>
    typeof one === 'string' ? [slug(one)] : [],
  )
  return [...words, slug(id)].filter((one) => one !== '')
}

/** Whether an object is in use, on offer or already written. */
function isKept({ accounts, files }: EntriesInput, name: KindName, { key, members }: Group): boolean {
  if (files.entriesOf(kind(name)).has(key)) return true
  return members.some(({ account, id, live, used, form }) => {
    if (used) return true
    if (name === 'coupon') return live['valid'] === true
    if (name !== 'price') return live['active'] === true
    return live['active'] === true && (form['lookup_key'] !== undefined || isDefault(accounts, account, id))
  })
}

function isDefault(accounts: readonly PulledAccount[], account: string, price: string): boolean {
  const products = accounts.find(({ name }) => name === account)?.resources.get('product') ?? []
  return products.some((product) => product['active'] === true && product['default_price'] === price)
}

function write(
  input: EntriesInput,
  name: KindName,
  groups: readonly Group[],
  valueOf: (group: Group) => Written,
): void {
  const of = kind(name)
  const existing = input.files.entriesOf(of)
  for (const group of groups) {
    const { key, members } = group
    const { value, comment } = valueOf(group)
    const there = existing.get(key)
    if (there === undefined) {
      input.files.open(of.file).add(of.section, { key, value, ...(comment === undefined ? {} : { comment }) })
      if (members.length > 1) input.notes.push(`${of.name}.${key} represents ${members.length} objects`)
    } else {
      const changed = differences(of, desiredForm(of, value), desiredForm(of, there)).map(({ field }) => field)
      const terms = changed.filter((field) => !aside.includes(field))
      // An entry without features removes none from subscribers, but it does not grant any.
      if (value['features'] !== undefined && there['features'] === undefined)
        input.notes.push(
          `${of.name}.${key} has features in the old accounts that its entry does not name: ${featuresOf(group).join(', ')}. Without them, members lose these entitlements`,
        )
      if (terms.length > 0)
        input.notes.push(
          `${of.name}.${key} differs from the old accounts (${terms.join(', ')}); the entry was not changed`,
        )
    }
    for (const { account, id } of members) {
      const mappings = input.files.open(`mappings/${account}.yaml`)
      if (!mappings.has(of.section, id)) mappings.add(of.section, { key: id, value: key })
    }
  }
}

function writeCarried({ accounts, tables, files, now }: EntriesInput, coupons: readonly Group[]): void {
  const of = kind('coupon')
  const there = files.entriesOf(of)
  const written = new Map(coupons.map((group) => [group.key, there.get(group.key) ?? couponValue(group).value]))
  const wanted = new Map<string, CarriedCoupon>()
  for (const { name, subscriptions, customers } of accounts) {
    const table = tables.get(name)
    for (const subscription of table === undefined ? [] : subscriptions) {
      // A moved subscriber has already carried the discount.
      if (isOver(subscription) || readHold(subscription) !== null || table === undefined) continue
      const customer = customers.get(idOf(subscription.customer))
      for (const one of carriedCoupons(subscription, customer, table, written, now)) wanted.set(one.key, one)
    }
  }
  for (const [key, one] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (!there.has(key))
      files.open(of.file).add(of.section, { key, value: one.value, comment: carriedComment(one, now) })
}

/**
 * Codes that can still be redeemed, with the remainder of their limits. A code of several accounts
 * is written once.
 */
function writeCodes(input: EntriesInput, coupons: ReadonlySet<string>): number {
  const of = kind('promotion_code')
  const existing = input.files.entriesOf(of)
  const codes = new Map(
    [...existing.values()].map(({ code }) => [typeof code === 'string' ? code.toLowerCase() : '', '']),
  )
  const taken = new Set(existing.keys())
  const counted = new Set<string>()
  for (const member of membersOf(of, input.accounts, input.tables, { used: () => false })) {
    const { account, form } = member
    const { code, promotion, max_redemptions: most, ...rest } = form
    const coupon = isJsonObject(promotion) ? promotion['coupon'] : undefined
    if (
      typeof code !== 'string' ||
      typeof coupon !== 'string' ||
      !coupons.has(coupon) ||
      !isRedeemable(member, input.now)
    )
      continue
    counted.add(code.toLowerCase())
    const seen = codes.get(code.toLowerCase())
    if (seen !== undefined) {
      if (seen !== '' && seen !== account)
        input.notes.push(`code ${code} exists in ${seen} and ${account}; it is written once, with the terms of ${seen}`)
      continue
    }
    codes.set(code.toLowerCase(), account)
    const left = typeof most === 'number' ? Math.max(1, most - redeemed(member)) : undefined
    const value = { code, promotion: { coupon }, ...rest, ...(left === undefined ? {} : { max_redemptions: left }) }
    const comment =
      typeof most === 'number' && left !== most
        ? { comment: `${left} of ${most} redemptions remain in ${account}` }
        : {}
    input.files.open(of.file).add(of.section, { key: freeKey([slug(code)], taken), value, ...comment })
  }
  return counted.size
}

function isRedeemable({ live, form }: Member, now: Instant): boolean {
  const expires = form['expires_at']
  return live['active'] === true && !(typeof expires === 'string' && expires <= formatInstant(now))
}

function redeemed({ live }: Member): number {
  return typeof live['times_redeemed'] === 'number' ? live['times_redeemed'] : 0
}
