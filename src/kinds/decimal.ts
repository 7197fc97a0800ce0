import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/**
 * Stripe shows an amount twice: `unit_amount` (an integer, or null for a fraction) and
 * `unit_amount_decimal` (text, or the SDK's Decimal). The canonical form is the integer if
 * possible, or else the shortest decimal text. Amounts are in minor units with at most twelve
 * decimals.
 */
export function canonicalAmount(object: JsonObject, name: string): JsonObject {
  const exact = decimalText(object[`${name}_decimal`]) ?? decimalText(object[name])
  const { [name]: _integer, [`${name}_decimal`]: _decimal, ...rest } = object
  if (exact === undefined) return rest
  return /^-?\d+$/.test(exact) && Number.isSafeInteger(Number(exact))
    ? { ...rest, [name]: Number(exact) }
    : { ...rest, [`${name}_decimal`]: exact }
}

/** `1.50` → `1.5`, `7.0` → `7`; undefined without a number. */
export function decimalText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  // The SDK's Decimal is an object with its own toString.
  const text =
    typeof value === 'object' ? (value as { toString(): string }).toString() : String(value as string | number)
  const match = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '0', fraction = ''] = match
  const digits = fraction === '' ? whole : `${whole}.${fraction}`
  return digits === '0' ? '0' : `${sign}${digits}`
}

/**
 * Tiers in canonical form: amounts as above, `inf` for no upper end. A zero stays, because Stripe
 * requires an explicit amount for a free tier.
 */
export function canonicalTiers(value: Json | undefined): Json | undefined {
  if (!Array.isArray(value)) return undefined
  return (value as readonly Json[]).map((tier) => {
    if (!isJsonObject(tier)) return tier
    const amounts = canonicalAmount(canonicalAmount(tier, 'unit_amount'), 'flat_amount')
    const upTo = tier['up_to'] ?? 'inf'
    const kept = Object.entries(amounts).filter(([name, one]) => name !== 'up_to' && one !== null)
    return { ...Object.fromEntries(kept), up_to: upTo }
  })
}

/** Live tiers: a tier without any amount is free. */
export function readTiers(value: Json | undefined): Json | undefined {
  const tiers = canonicalTiers(value)
  if (!Array.isArray(tiers)) return tiers
  return (tiers as readonly Json[]).map((tier) =>
    isJsonObject(tier) && Object.keys(tier).every((name) => name === 'up_to') ? { unit_amount: 0, ...tier } : tier,
  )
}

/** An absent amount of a tier and a zero amount mean the same. */
export function tiersMeaning(tiers: Json): Json {
  if (!Array.isArray(tiers)) return tiers
  return (tiers as readonly Json[]).map((tier) =>
    isJsonObject(tier) ? Object.fromEntries(Object.entries(tier).filter(([, one]) => one !== 0)) : tier,
  )
}
