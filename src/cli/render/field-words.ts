import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { isSecretName, withoutSecrets } from '../../core/secret-text.ts'
import type { PatchOperation } from '../../plan/types.ts'
import { exactMoney, money } from './words.ts'

/**
 * `unit_amount: 49.00 usd → 59.00 usd`: the old and the new value. `params` are the request's
 * parameters, which contain the currency of amounts. `gone` is the text for a removed value.
 */
export function operationLine(
  operation: PatchOperation,
  params: JsonObject = {},
  gone = 'back to its default',
): string {
  const path = operation.path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const field = path.join('.')
  const said = (value: Json | undefined): string => shortened(valueWords(value, path, currencyAt(path, params)))
  // A plan that an older version saved does not contain the old value.
  const unknown = operation.was === undefined && operation.op !== 'add'
  const before = unknown ? '' : `${operation.was === undefined ? 'nothing' : said(operation.was)} → `
  if (operation.op === 'remove') return `${field}: ${before}${gone}`
  return `${field}: ${before}${said(operation.value)}`
}

const longest = 120

function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
}

/** Shows amounts as money, hides secrets, and shows each value of a list or a map. */
function valueWords(value: Json | undefined, path: readonly string[], currency: string): string {
  const name = path.at(-1) ?? ''
  if (value === undefined || value === null) return 'null'
  if (isSecretName(name)) return '(not shown)'
  if (typeof value === 'number') return currency !== '' && isAmount(path) ? money(value, currency) : String(value)
  if (typeof value === 'string')
    return currency !== '' && isAmount(path) && /^-?\d+(\.\d+)?$/.test(value)
      ? exactMoney(value, currency)
      : JSON.stringify(withoutSecrets(value))
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item, index) => valueWords(item, [...path, String(index)], currency))
    return `[${items.join(', ')}]`
  }
  if (!isJsonObject(value)) return JSON.stringify(value)
  const parts = Object.entries(value).map(([key, inner]) => {
    const own = name === 'currency_options' ? key : ownCurrency(value, key, currency)
    return `${key}: ${valueWords(inner, [...path, key], own)}`
  })
  return `{ ${parts.join(', ')} }`
}

/** Whether the path is an amount: `unit_amount`, `amount_off`, a limit of a chosen amount … */
function isAmount(path: readonly string[]): boolean {
  if (/(^|_)amount(_off|_decimal)?$/.test(path.at(-1) ?? '')) return true
  return path.includes('custom_unit_amount') && ['minimum', 'maximum', 'preset'].includes(path.at(-1) ?? '')
}

/**
 * The currency of the amount at a path: the key of its `currency_options`, else the nearest
 * `currency` around it.
 */
function currencyAt(path: readonly string[], params: JsonObject): string {
  const options = path.lastIndexOf('currency_options')
  const named = options === -1 ? undefined : path[options + 1]
  if (named !== undefined) return named
  let [holder, found]: [Json | undefined, string] = [params, '']
  for (const step of path) {
    if (!isJsonObject(holder)) break
    found = ownCurrency(holder, step, found)
    holder = holder[step]
  }
  return found
}

function ownCurrency(holder: JsonObject, name: string, around: string): string {
  const said = holder[`${name}_currency`] ?? holder['currency']
  return typeof said === 'string' ? said : around
}
