import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { type Draft, type DraftResource, placeIn } from '../draft.ts'
import { error } from '../rule-names.ts'

/** Amounts that an entry states for its own currency, and again under `currency_options`. */
const mirroredAmounts = ['unit_amount', 'unit_amount_decimal', 'amount_off', 'tax_behavior']

/**
 * Values that Stripe has in two places. Two different values contradict each other, and neither
 * silently wins.
 */
export function mirroredValues(draft: Draft): readonly Diagnostic[] {
  return draft.resources.flatMap((one) => [...taxCodes(one), ...ownCurrency(one)])
}

function taxCodes(product: DraftResource): readonly Diagnostic[] {
  const { tax_code: code, tax_details: details } = product.value
  const inside = isJsonObject(details) ? details['tax_code'] : undefined
  return contradiction(product, ['tax_details', 'tax_code'], code, inside)
}

function ownCurrency(one: DraftResource): readonly Diagnostic[] {
  const { currency, currency_options: options } = one.value
  const own = isJsonObject(options) && typeof currency === 'string' ? options[currency] : undefined
  if (!isJsonObject(own) || typeof currency !== 'string') return []
  return mirroredAmounts.flatMap((field) =>
    contradiction(one, ['currency_options', currency, field], one.value[field], own[field]),
  )
}

function contradiction(
  one: DraftResource,
  path: readonly string[],
  outside: Json | undefined,
  inside: Json | undefined,
): readonly Diagnostic[] {
  if (outside === undefined || inside === undefined || outside === inside) return []
  const message = `${one.address} has ${path.at(-1)} ${String(outside as string)}, but ${path.join('.')} ${String(inside as string)}`
  return [error('mirrored-values', message, 'keep one of the two', placeIn(one, path, 'value'))]
}
