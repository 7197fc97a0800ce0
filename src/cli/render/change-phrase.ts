import { isJsonObject, type Json, type JsonObject, objectIn } from '../../core/json.ts'
import { splitAddress } from '../../core/address.ts'
import { withoutSecrets } from '../../core/secret-text.ts'
import type { Ending } from '../../kinds/kind.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { markProtect } from '../../live/marks.ts'
import type { Change, Drift } from '../../plan/types.ts'
import { leftOver, takesFrom } from '../../plan/resources/change.ts'
import { operationLine } from './field-words.ts'
import { exactMoney, groupBy, money, plural } from './words.ts'

/**
 * A description of a change in the words of its kind: `49.00 usd a month`, `20 % off for 3 months`.
 * Empty when there is nothing to add.
 */
export function changePhrase(change: Change): string {
  if (isRest(change)) return 'finishes the change that an earlier run began; the others have it already'
  const taken = change.because.find((one) => one.startsWith(takesFrom))
  if (taken !== undefined) return taken
  const params = describing(change)
  const protection = change.action === 'update' ? protectionPhrase(params) : ''
  if (protection === '' && change.action === 'update' && change.because.join() === 'marks')
    return 'the object stays as it is; only its marks change, to the key of this entry'
  const phrase = phrases[splitAddress(change.address).kind]
  // The old URL of a payment link may be published somewhere.
  if (change.action === 'replace' && splitAddress(change.address).kind === 'payment_link')
    return 'gets another URL; the old one stops selling'
  if (change.action === 'update') return protection
  return change.action === 'create' || change.action === 'replace' ? (phrase?.(params) ?? '') : ''
}

/** The request that describes the object: a replacement may first rename or retire the old one. */
function describing({ steps }: Change): JsonObject {
  const main = steps.find(({ id }) => id === 'create') ?? steps.find(({ id }) => id === 'update') ?? steps[0]
  return main?.params ?? {}
}

/** A change of a mark alone would show no field. */
function protectionPhrase({ metadata }: JsonObject): string {
  const marked = objectIn(metadata)[markProtect]
  if (marked === undefined) return ''
  return marked === null ? 'no longer protected' : 'protected from now on'
}

/** Its requests change subscribers and do not describe the object. */
function isRest({ action, because }: Change): boolean {
  return action === 'replace' && because.includes(leftOver)
}

const phrases: Readonly<Record<string, (params: JsonObject) => string>> = {
  product: (params) => text(params['name']),
  price: pricePhrase,
  coupon: couponPhrase,
  tax_rate: (params) =>
    `${text(params['display_name'])} ${text(params['percentage'])} %${params['inclusive'] === true ? ', inclusive' : ''}`,
  promotion_code: promotionPhrase,
  webhook_endpoint: (params) => text(params['url']),
  feature: (params) => text(params['name']),
  meter: (params) => text(params['event_name']),
  shipping_rate: shippingPhrase,
  payment_method_configuration: (params) => text(params['name']),
  payment_method_domain: (params) => text(params['domain_name']),
  tax_registration: registrationPhrase,
  event_destination: (params) => `${text(params['event_payload'])} events, ${text(params['name'])}`,
}

/** `FRIENDS, from 50.00 usd, first purchase only` */
function promotionPhrase({ code, restrictions }: JsonObject): string {
  const {
    minimum_amount: least,
    minimum_amount_currency: currency,
    first_time_transaction: first,
  } = objectIn(restrictions)
  const from = typeof least === 'number' ? `, from ${money(least, text(currency))}` : ''
  return `${text(code)}${from}${first === true ? ', first purchase only' : ''}`
}

/** `Parcel, 5.00 eur, 4.00 gbp` */
function shippingPhrase({ display_name: name, fixed_amount: fixed }: JsonObject): string {
  if (!isJsonObject(fixed)) return text(name)
  const others = Object.entries(objectIn(fixed['currency_options']))
  const amounts = [[text(fixed['currency']), fixed] as const, ...others].map(([currency, holder]) =>
    isJsonObject(holder) ? amountOf(holder, 'amount', currency) : undefined,
  )
  return [text(name), ...amounts.filter((one) => one !== undefined)].join(', ')
}

/** `US NY state_sales_tax`: the registration by which tax is collected. */
function registrationPhrase({ country, country_options: options }: JsonObject): string {
  const own = isJsonObject(options) ? options[text(country).toLowerCase()] : undefined
  const about = isJsonObject(own) ? [own['state'], own['type']] : []
  return [country, ...about]
    .map(text)
    .filter((part) => part !== '')
    .join(' ')
}

function pricePhrase(params: JsonObject): string {
  const { tax_behavior: tax } = params
  return `${priceWithoutTax(params)}${saysTax(tax) ? `, tax ${tax}` : ''}`
}

function saysTax(tax: Json | undefined): tax is string {
  return tax === 'inclusive' || tax === 'exclusive'
}

function priceWithoutTax(params: JsonObject): string {
  const { currency, recurring, tax_behavior: tax, transform_quantity: packs } = params
  const own = amountPhrase(params, text(currency))
  const others = Object.entries(objectIn(params['currency_options']))
    .map(([name, option]) => (isJsonObject(option) ? `${amountPhrase(option, name)}${otherTax(option, tax)}` : ''))
    .filter((part) => part !== '')
  const packed = isJsonObject(packs) ? ` for ${text(packs['divide_by'])} units, rounded ${text(packs['round'])}` : ''
  const price = `${[own, ...others].join(', ')}${packed}`
  if (!isJsonObject(recurring)) return price
  const count = recurring['interval_count']
  const interval = text(recurring['interval'])
  const cadence = typeof count === 'number' && count !== 1 ? `every ${count} ${interval}s` : `a ${interval}`
  return `${price} ${cadence}${recurring['usage_type'] === 'metered' ? ', metered' : ''}`
}

/** The tax behaviour of another currency, when it differs from the price's own. */
function otherTax({ tax_behavior: own }: JsonObject, tax: Json | undefined): string {
  return saysTax(own) && own !== tax ? ` (tax ${own})` : ''
}

/**
 * The phrase of each change, by address. Prices of one product that differ only in their tax
 * behaviour name it, even when it is unspecified.
 */
export function changePhrases(changes: readonly Change[]): ReadonlyMap<string, string> {
  const phrases = new Map(changes.map((change) => [change.address, changePhrase(change)]))
  const made = changes.filter(
    ({ address, action }) => splitAddress(address).kind === 'price' && (action === 'create' || action === 'replace'),
  )
  const alike = groupBy(made, (change) =>
    JSON.stringify([describing(change)['product'] ?? '', priceWithoutTax(describing(change))]),
  )
  for (const group of alike.values())
    for (const change of group)
      if (group.length > 1 && !saysTax(describing(change)['tax_behavior']))
        phrases.set(change.address, `${phrases.get(change.address) ?? ''}, tax unspecified`)
  return phrases
}

/** `49.00 usd`, `0.005 usd`, `first 5 at 10.00 usd, then 7.50 usd`, `the customer chooses`. */
function amountPhrase(holder: JsonObject, currency: string): string {
  const { unit_amount: whole, unit_amount_decimal: exact, tiers, custom_unit_amount: custom } = holder
  if (typeof whole === 'number') return money(whole, currency)
  if (typeof exact === 'string') return exactMoney(exact, currency)
  if (Array.isArray(tiers)) {
    const { tiers_mode: mode } = holder
    return `${tierPhrases(tiers as readonly Json[], currency)}${typeof mode === 'string' ? ` (${mode})` : ''}`
  }
  return isJsonObject(custom) ? chosenPhrase(custom, currency) : currency
}

/** `the customer chooses, from 5.00 usd to 100.00 usd` */
function chosenPhrase({ minimum, maximum }: JsonObject, currency: string): string {
  const from = typeof minimum === 'number' ? ` from ${money(minimum, currency)}` : ''
  const to = typeof maximum === 'number' ? ` to ${money(maximum, currency)}` : ''
  return `the customer chooses,${from === '' && to === '' ? ` in ${currency}` : `${from}${to}`}`
}

function tierPhrases(tiers: readonly Json[], currency: string): string {
  return tiers
    .map((tier) => {
      if (!isJsonObject(tier)) return ''
      const each = amountOf(tier, 'unit_amount', currency)
      const flat = amountOf(tier, 'flat_amount', currency)
      const cost = [each, flat === undefined ? undefined : `${flat} flat`].filter((part) => part !== undefined)
      const upTo = tier['up_to'] === 'inf' ? 'above' : `to ${text(tier['up_to'])}`
      return `${upTo}: ${cost.length === 0 ? money(0, currency) : cost.join(' + ')}`
    })
    .join('; ')
}

function amountOf(holder: JsonObject, name: string, currency: string): string | undefined {
  const [whole, exact] = [holder[name], holder[`${name}_decimal`]]
  if (typeof whole === 'number') return money(whole, currency)
  return typeof exact === 'string' ? exactMoney(exact, currency) : undefined
}

function couponPhrase(params: JsonObject): string {
  const { percent_off: percent, amount_off: amount, currency, duration, duration_in_months: months } = params
  const options = Object.entries(objectIn(params['currency_options']))
  const others = options.flatMap(([code, option]) =>
    isJsonObject(option) && typeof option['amount_off'] === 'number' ? [money(option['amount_off'], code)] : [],
  )
  const off =
    typeof amount === 'number' && typeof currency === 'string'
      ? [money(amount, currency), ...others].join(', ')
      : `${text(percent)} %`
  const length =
    duration === 'repeating'
      ? `for ${plural(Number(months), 'month')}`
      : duration === 'once' || duration === undefined
        ? 'once'
        : text(duration)
  return `${off} off ${length}`
}

function text(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? withoutSecrets(String(value)) : ''
}

/** What ends with an object that is taken out of use, one line each. */
export function endLines({ ends = [] }: { readonly ends?: readonly Ending[] }): string[] {
  return ends.map(({ message }) => withoutSecrets(message))
}

/**
 * The fields that a change sets, one line each, with their old values. `meanwhile` says that the
 * plan changes the object twice: a price that is no longer sold must be active while subscribers
 * on it are moved.
 */
export function patchLines(change: Change, meanwhile = false): string[] {
  // What ends says more than `active: false`.
  if (change.action === 'create' || (change.action === 'retire' && change.ends !== undefined)) return []
  if (meanwhile && change.action === 'update' && change.because.join() === 'active')
    return [describing(change)['active'] === true ? 'active while subscribers are moved' : 'archived again afterwards']
  const params = describing(change)
  // The list of its subscribers shows the amounts, with their currency.
  if (isRest(change))
    return change.patch.filter(({ path }) => !/amount|tiers/.test(path)).map((operation) => operationLine(operation))
  return [...change.patch.map((operation) => operationLine(operation, params)), ...followingLines(change)]
}

/** A field whose value stays the same words: the object that it names is replaced in this plan. */
function followingLines({ address, action, because, patch }: Change): string[] {
  if (action !== 'update' && action !== 'replace') return []
  const fields = kindNamed(splitAddress(address).kind)?.fields ?? {}
  const shown = new Set(patch.map(({ path }) => path.split('/')[1]))
  return because
    .filter((field) => Object.hasOwn(fields, field) && !shown.has(field))
    .map((field) => `${field}: follows an object that is replaced`)
}

/** One line for each field that was changed outside: the catalog's value, then the live value. */
export function driftLines({ patch }: Pick<Drift, 'patch'>): string[] {
  return patch.map((operation) => operationLine(operation, {}, 'nothing'))
}
