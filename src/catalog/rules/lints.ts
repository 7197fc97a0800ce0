import { digest } from '../../core/canonical.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type Json, type JsonObject, listIn, objectIn } from '../../core/json.ts'
import { decimals, formatMoney } from '../../core/money.ts'
import { secretAt } from '../../core/secret-text.ts'
import { suggest } from '../../core/suggest.ts'
import { type Draft, type DraftResource, placeIn } from '../draft.ts'
import { lint, type LintSwitches } from '../rule-names.ts'
import { heardEvents, isServiceEndpoint, serviceEndpoint } from '../service-endpoint.ts'
import { targetAccount } from '../types.ts'
import type { Path } from '../yaml-places.ts'
import { type LintRule, unknownInComments, withSwitches } from './lint-off.ts'
import { ofKind } from './refused.ts'

const opinions: readonly LintRule[] = [
  secretLiteral,
  taxBehavior,
  smallAmounts,
  currencyGaps,
  unlimitedCodes,
  foreverFree,
  priceTwice,
  priceWithoutAccess,
  portalUnmapped,
  endpointEvents,
  lookupKeys,
  descriptors,
  unknownInComments,
]

/** What `validate` has to say about a catalog that is right. */
export const lintFindings = withSwitches(opinions)

/** Also in comments: history keeps them as well. */
function* secretLiteral({ files }: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  for (const { path, text } of files.values()) {
    if (secretAt(text) === undefined) continue
    for (const [index, line] of text.split('\n').entries()) {
      const column = secretAt(line)
      if (column === undefined) continue
      yield* lint('secret-literal', switches, {
        message: 'this file contains a secret',
        fix: 'revoke it, and name where the new one is kept: { env: NAME }',
        at: { file: path, line: index + 1, column: column + 1 },
      })
    }
  }
}

const isActive = ({ value }: DraftResource): boolean => value['active'] !== false

/**
 * A price onto which subscribers move repeats the old price, which they would otherwise no longer
 * pay: for it, the question waits until a mapping no longer names it.
 */
function copiesOf(draft: Draft): ReadonlySet<string> {
  const from = draft.mappings.filter(({ source, section }) => source !== targetAccount && section === 'prices')
  return new Set(from.map(({ key }) => key))
}

function* taxBehavior(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const copies = copiesOf(draft)
  for (const price of ofKind(draft, 'price').filter(isActive)) {
    const { tax_behavior: tax } = price.value
    if ((tax !== undefined && tax !== 'unspecified') || copies.has(price.key)) continue
    yield* lint('tax-behavior-unspecified', switches, {
      message: 'a price does not say whether its amount includes tax',
      fix: 'write tax_behavior: exclusive or inclusive',
      at: placeIn(price, ['tax_behavior'], 'key'),
    })
  }
}

/** Probably written in whole units, as people do. Usage is often cheaper than one unit. */
function* smallAmounts(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const copies = copiesOf(draft)
  for (const price of ofKind(draft, 'price').filter(isActive)) {
    const { unit_amount: amount, currency, recurring, transform_quantity: divided } = price.value
    if (typeof amount !== 'number' || typeof currency !== 'string' || copies.has(price.key)) continue
    const unit = 10 ** decimals(currency)
    const isByUsage = objectIn(recurring)['usage_type'] === 'metered' || divided !== undefined
    if (amount <= 0 || amount >= unit || isByUsage) continue
    yield* lint('amount-small', switches, {
      message: `unit_amount ${amount} is ${formatMoney({ amount, currency })}`,
      fix: `for ${formatMoney({ amount: amount * unit, currency })} write unit_amount: ${amount * unit}; for a price that is meant so, write # lint-off: amount-small`,
      at: placeIn(price, ['unit_amount'], 'value'),
    })
  }
}

function periodOf(price: JsonObject): string | undefined {
  const { recurring } = price
  if (!isJsonObject(recurring) || recurring['usage_type'] === 'metered') return undefined
  const [interval, count] = [String(recurring['interval'] as string), Number(recurring['interval_count'] ?? 1)]
  return count === 1 ? `every ${interval}` : `every ${count} ${interval}s`
}

function currenciesOf(price: JsonObject): readonly string[] {
  return [String(price['currency'] as string), ...Object.keys(objectIn(price['currency_options']))]
}

function* currencyGaps(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const sold = ofKind(draft, 'price').filter((price) => isActive(price) && typeof price.value['product'] === 'string')
  const byProduct = Map.groupBy(sold, ({ value }) => String(value['product'] as string))
  for (const product of ofKind(draft, 'product')) {
    const periods = Map.groupBy(byProduct.get(product.key) ?? [], ({ value }) => periodOf(value))
    periods.delete(undefined)
    const has = new Map(
      [...periods].map(([period, all]) => [period, new Set(all.flatMap((one) => currenciesOf(one.value)))]),
    )
    const every = [...new Set([...has.values()].flatMap((set) => [...set]))].toSorted()
    const gaps = [...has].flatMap(([period, set]) => {
      const missing = every.filter((one) => !set.has(one))
      return missing.length === 0 ? [] : [`${period ?? ''} without ${missing.join(', ')}`]
    })
    if (gaps.length === 0) continue
    yield* lint('currency-gap', switches, {
      message: `${product.address} is sold ${gaps.join('; ')}`,
      fix: 'add the prices, or currency_options to the price of that period',
      at: product.at,
    })
  }
}

function* unlimitedCodes(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const coupons = new Map(ofKind(draft, 'coupon').map(({ key, value }) => [key, value]))
  for (const code of ofKind(draft, 'promotion_code').filter(isActive)) {
    const { expires_at: ends, max_redemptions: most, customer, promotion } = code.value
    const { coupon: key } = objectIn(promotion)
    const coupon = typeof key === 'string' ? coupons.get(key) : undefined
    // The limits of a coupon that the catalog does not declare are unknown.
    if (coupon === undefined) continue
    const limits = [ends, most, customer, coupon['redeem_by'], coupon['max_redemptions']]
    if (limits.some((limit) => limit !== undefined)) continue
    yield* lint('promotion-code-unlimited', switches, {
      message: `${code.address} has no end and no limit`,
      fix: 'write expires_at or max_redemptions',
      at: code.at,
    })
  }
}

function* foreverFree(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  for (const coupon of ofKind(draft, 'coupon')) {
    if (coupon.value['percent_off'] !== 100 || coupon.value['duration'] !== 'forever') continue
    yield* lint('coupon-forever-free', switches, {
      message: `${coupon.address} takes 100 % off for ever`,
      fix: 'write duration: repeating, or give complimentary access in Kajabi',
      at: placeIn(coupon, ['percent_off'], 'key'),
    })
  }
}

/** What a price means to its subscribers, without its names. */
function meaningOf(value: JsonObject): string {
  const { nickname: _n, metadata: _m, lookup_key: _l, active: _a, on_change: _o, recurring, ...rest } = value
  const { unit_amount: whole, unit_amount_decimal: exact, tax_behavior: tax, ...terms } = rest
  return digest({
    ...terms,
    amount: whole === undefined ? (exact ?? '') : String(whole as number),
    tax: tax ?? 'unspecified',
    recurring: isJsonObject(recurring) ? { ...recurring, ...spanOf(recurring) } : {},
  })
}

const inBase: Readonly<Record<string, readonly [string, number]>> = { year: ['month', 12], week: ['day', 7] }

/** A year is twelve months, a week is seven days; licensed is Stripe's default. */
function spanOf(recurring: JsonObject): JsonObject {
  const interval = String(recurring['interval'] as string)
  const [base, times] = inBase[interval] ?? [interval, 1]
  return {
    interval: base,
    interval_count: Number(recurring['interval_count'] ?? 1) * times,
    usage_type: recurring['usage_type'] ?? 'licensed',
  }
}

function* priceTwice(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const first = new Map<string, string>()
  for (const price of ofKind(draft, 'price').filter(isActive)) {
    const meaning = meaningOf(price.value)
    const other = first.get(meaning)
    if (other === undefined) first.set(meaning, price.address)
    else
      yield* lint('price-twice', switches, {
        message: `${price.address} means the same as ${other}`,
        fix: 'keep one of them, and write active: false in the other',
        at: price.at,
      })
  }
}

/** Prices that give an offer, or none on purpose; empty without offers. */
function mappedPrices(draft: Draft): ReadonlySet<string> {
  const { offers, without_offer: without = [] } = draft.access ?? { offers: {} }
  const given = Object.values(offers).flatMap(({ prices }) => prices)
  return given.length === 0 ? new Set() : new Set([...given, ...without])
}

function* priceWithoutAccess(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const mapped = mappedPrices(draft)
  if (mapped.size === 0) return
  const paid = draft.subscribers
    .filter(({ excluded }) => excluded === undefined)
    .flatMap(({ items }) => items.map(({ price }) => price))
  const offered = ofKind(draft, 'portal_configuration').flatMap((portal) => offeredIn(portal).map(({ key }) => key))
  // Other findings name these.
  const named = new Set([...paid, ...offered])
  for (const price of ofKind(draft, 'price').filter(isActive)) {
    if (!isJsonObject(price.value['recurring']) || mapped.has(price.key) || named.has(price.key)) continue
    yield* lint('price-without-access', switches, {
      message: `${price.address} gives no offer in access.yaml`,
      fix: `add ${price.key} under an offer, or under without_offer: if it gives no access on purpose`,
      at: price.at,
    })
  }
}

/** Prices to which members can change in a portal. */
function offeredIn(portal: DraftResource): readonly { readonly key: string; readonly path: Path }[] {
  const update = objectIn(objectIn(portal.value['features'])['subscription_update'])
  if (update['enabled'] !== true) return []
  return listIn(update['products']).flatMap((offered, index) =>
    listIn(objectIn(offered)['prices']).flatMap((key, place) =>
      typeof key === 'string'
        ? [{ key, path: ['features', 'subscription_update', 'products', index, 'prices', place] }]
        : [],
    ),
  )
}

function* portalUnmapped(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const mapped = mappedPrices(draft)
  if (mapped.size === 0) return
  for (const portal of ofKind(draft, 'portal_configuration'))
    for (const { key, path } of offeredIn(portal)) {
      if (mapped.has(key)) continue
      yield* lint('portal-unmapped-price', switches, {
        message: `${portal.address} offers price.${key}, which gives no offer in access.yaml`,
        fix: `add ${key} under an offer, or under without_offer:`,
        at: placeIn(portal, path),
      })
    }
}

function* endpointEvents(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const { project } = draft
  if (project === undefined) return
  const address = serviceEndpoint({ project }, targetAccount)
  for (const endpoint of [...ofKind(draft, 'webhook_endpoint'), ...ofKind(draft, 'event_destination')]) {
    const { webhook_endpoint: target, event_payload: payload } = endpoint.value
    if (!isServiceEndpoint(address, isJsonObject(target) ? target : endpoint.value)) continue
    // The service reads snapshots of objects.
    const events = payload === 'thin' ? [] : listIn(endpoint.value['enabled_events'])
    const missing = events.includes('*') ? [] : heardEvents.target.filter((event) => !events.includes(event))
    if (endpoint.value['disabled'] === true)
      yield* lint('endpoint-events-missing', switches, {
        message: `${endpoint.address} is the cancel service's endpoint, and is disabled`,
        fix: 'delete disabled: true',
        at: placeIn(endpoint, ['disabled'], 'key'),
      })
    if (missing.length > 0)
      yield* lint('endpoint-events-missing', switches, {
        message: `${endpoint.address} does not send the cancel service ${missing.join(', ')}`,
        fix: payload === 'thin' ? 'write event_payload: snapshot' : 'add them to enabled_events',
        at: placeIn(endpoint, ['enabled_events'], 'key'),
      })
  }
}

/** Another spelling of the key (`a_b` for `a-b`) is a habit; another word is an accident. */
function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

function* lookupKeys(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const prices = ofKind(draft, 'price')
  const keys = new Set(prices.map(({ key }) => key))
  for (const price of prices) {
    const { lookup_key: lookup } = price.value
    if (typeof lookup !== 'string' || plain(lookup) === plain(price.key)) continue
    const isOther = keys.has(lookup)
    if (!isOther && suggest(plain(lookup), [plain(price.key)]) === undefined) continue
    yield* lint('lookup-key-differs', switches, {
      message: `${price.address} has the lookup key "${lookup}"${isOther ? ', which is the key of another price' : ''}`,
      fix: `write lookup_key: ${price.key}, or another word if the difference is meant`,
      at: placeIn(price, ['lookup_key']),
    })
  }
}

const printed = 22
/** The prefix of an account has at most ten characters, and `* ` stands behind it. */
const suffixMost = printed - 12

/** https://docs.stripe.com/get-started/account/statement-descriptors */
function* descriptors(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  for (const resource of draft.resources)
    for (const { path, text } of descriptorsIn(resource.value, [])) {
      const isSuffix = path.at(-1) === 'statement_descriptor_suffix'
      const most = isSuffix ? suffixMost : printed
      const at = placeIn(resource, path)
      if (text.length > most)
        yield* lint('descriptor-long', switches, {
          message: `"${text}" is longer than banks print (${most} characters)`,
          fix: `write at most ${most} characters`,
          at,
        })
      const isShort = !isSuffix && text.length < 5
      if (isShort || !/[A-Za-z]/.test(text) || /[<>\\'"*]/.test(text))
        yield* lint('descriptor-unprintable', switches, {
          message: `"${text}" cannot stand on a card statement`,
          fix: `write ${isSuffix ? '' : 'at least five characters, '}a letter, and none of < > \\ ' " *`,
          at,
        })
    }
}

function descriptorsIn(value: Json, path: Path): readonly { readonly path: Path; readonly text: string }[] {
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, name]
    const isOne = /^statement_descriptor(_suffix)?$/.test(name) && typeof inner === 'string'
    return isOne ? [{ path: here, text: inner }] : descriptorsIn(inner ?? null, here)
  })
}
