import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { splitAddress } from '../../core/address.ts'
import type { Change, PatchOperation } from '../../plan/types.ts'
import { money, plural } from './words.ts'

/**
 * What a change is about, in the words of its kind: `49.00 usd a month`, `20 % off for 3 months`.
 * Empty when there is nothing to add.
 */
export function changePhrase(change: Change): string {
  const params = change.steps[0]?.params ?? {}
  const phrase = phrases[splitAddress(change.address).kind]
  return change.action === 'create' || change.action === 'replace' ? (phrase?.(params) ?? '') : ''
}

const phrases: Readonly<Record<string, (params: JsonObject) => string>> = {
  product: (params) => text(params['name']),
  price: pricePhrase,
  coupon: couponPhrase,
  tax_rate: (params) =>
    `${text(params['display_name'])} ${text(params['percentage'])} %${params['inclusive'] === true ? ', inclusive' : ''}`,
  promotion_code: (params) => text(params['code']),
  webhook_endpoint: (params) => text(params['url']),
  feature: (params) => text(params['name']),
  meter: (params) => text(params['event_name']),
  shipping_rate: (params) => text(params['display_name']),
}

function pricePhrase(params: JsonObject): string {
  const { currency, recurring, tax_behavior: tax } = params
  const own = amountPhrase(params, text(currency))
  const others = Object.entries(isJsonObject(params['currency_options']) ? params['currency_options'] : {})
    .map(([name, option]) => (isJsonObject(option) ? amountPhrase(option, name) : ''))
    .filter((part) => part !== '')
  const price = [own, ...others].join(', ')
  const taxed = tax === 'inclusive' || tax === 'exclusive' ? `, tax ${tax}` : ''
  if (!isJsonObject(recurring)) return `${price}${taxed}`
  const count = recurring['interval_count']
  const interval = text(recurring['interval'])
  const cadence = typeof count === 'number' && count !== 1 ? `every ${count} ${interval}s` : `a ${interval}`
  return `${price} ${cadence}${taxed}`
}

/** `49.00 usd`, `0.005 usd`, `first 5 at 10.00 usd, then 7.50 usd`, `the customer chooses`. */
function amountPhrase(holder: JsonObject, currency: string): string {
  const { unit_amount: whole, unit_amount_decimal: exact, tiers, custom_unit_amount: custom } = holder
  if (typeof whole === 'number') return money(whole, currency)
  if (typeof exact === 'string') return exactMoney(exact, currency)
  if (Array.isArray(tiers)) return tierPhrases(tiers as readonly Json[], currency)
  return custom === undefined ? currency : `the customer chooses, in ${currency}`
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

/** A part of the smallest unit, exact: `0.5` is `0.005 usd`. */
function exactMoney(amount: string, currency: string): string {
  const [whole = '0', fraction = ''] = amount.split('.')
  const [number = '', code = ''] = money(Number(whole), currency).split(' ')
  return `${number}${number.includes('.') || fraction === '' ? '' : '.'}${fraction} ${code}`
}

function couponPhrase(params: JsonObject): string {
  const { percent_off: percent, amount_off: amount, currency, duration, duration_in_months: months } = params
  const off =
    typeof amount === 'number' && typeof currency === 'string' ? money(amount, currency) : `${text(percent)} %`
  const length =
    duration === 'repeating'
      ? `for ${plural(Number(months), 'month')}`
      : duration === 'once' || duration === undefined
        ? 'once'
        : text(duration)
  return `${off} off ${length}`
}

function text(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** The fields a change sets, one line each, with what they were. */
export function patchLines(change: Change): string[] {
  if (change.action === 'create') return []
  // Prices that are no longer sold must be active while people who are on them are moved.
  if (change.action === 'update' && change.because.join() === 'active')
    return [change.steps[0]?.params['active'] === true ? 'active while people are moved' : 'archived again afterwards']
  const currency = change.steps[0]?.params['currency']
  return change.patch.map((operation) => operationLine(operation, typeof currency === 'string' ? currency : ''))
}

/** `unit_amount: 49.00 usd → 59.00 usd`: what was there, and what will be. */
export function operationLine(operation: PatchOperation, currency = ''): string {
  const path = operation.path.slice(1).split('/')
  const field = path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  const said = (value: Json | undefined): string => valueWords(value, field, currency)
  // A plan saved by an older version does not say what was there.
  const unknown = operation.was === undefined && operation.op !== 'add'
  const before = unknown ? '' : `${operation.was === undefined ? 'nothing' : said(operation.was)} → `
  if (operation.op === 'remove') return `${field}: ${before}back to its default`
  return 'value' in operation ? `${field}: ${before}${said(operation.value)}` : `${field}: ${operation.op}`
}

const longest = 120

/** Amounts as money, secrets not at all, long texts by their beginning. */
function valueWords(value: Json | undefined, field: string, currency: string): string {
  const name = field.split('.').at(-1) ?? ''
  const own = /^currency_options\.([a-z]{3})\./.exec(field)?.[1] ?? currency
  if (typeof value === 'number' && /(^|_)amount(_off)?$/.test(name) && own !== '') return money(value, own)
  if (/secret|password|token|api_key/i.test(name)) return '(not shown)'
  const written = typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value ?? null)
  return written.length <= longest ? written : `${written.slice(0, longest - 1)}…`
}
