import type { Operation } from 'fast-json-patch'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { splitAddress } from '../../core/address.ts'
import type { Change } from '../../plan/types.ts'
import { money, plural } from './words.ts'

/** What a change is about, in the words of its kind: `49.00 usd a month`, `20 % off for 3 months`. Empty when there is nothing to add. */
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
  const { currency, unit_amount: amount, recurring } = params
  const price = typeof amount === 'number' && typeof currency === 'string' ? money(amount, currency) : text(currency)
  if (!isJsonObject(recurring)) return price
  const count = recurring['interval_count']
  const interval = text(recurring['interval'])
  return typeof count === 'number' && count !== 1 ? `${price} every ${count} ${interval}s` : `${price} a ${interval}`
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

/** The fields a change sets, one line each: `unit_amount: 5900`. */
export function patchLines(change: Change): string[] {
  if (change.action === 'create') return []
  // Prices that are no longer sold must be active while people who are on them are moved.
  if (change.action === 'update' && change.because.join() === 'active')
    return [change.steps[0]?.params['active'] === true ? 'active while people are moved' : 'archived again afterwards']
  return change.patch.map(operationLine)
}

export function operationLine(operation: Operation): string {
  const field = operation.path.slice(1).replaceAll('/', '.')
  if (operation.op === 'remove') return `${field}: back to its default`
  return 'value' in operation ? `${field}: ${JSON.stringify(operation.value)}` : `${field}: ${operation.op}`
}
