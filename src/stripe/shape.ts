import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/**
 * Why an answer does not have Stripe's form: every object has a type and a text as its id, and its
 * instants and currencies have their form. Undefined for a correct answer.
 */
export function oddAnswer(answer: JsonObject): string | undefined {
  const { object, id, data, has_more: more } = answer
  if (id !== undefined && typeof id !== 'string') return 'its id is not text'
  if (object !== 'list') return oddValue(answer)
  if (!Array.isArray(data)) return 'a list has no data'
  if (more !== undefined && typeof more !== 'boolean') return 'a list has no valid has_more'
  const isObject = (one: Json): boolean =>
    isJsonObject(one) && typeof one['object'] === 'string' && (one['id'] === undefined || typeof one['id'] === 'string')
  if (!(data as readonly Json[]).every(isObject)) return 'a list contains an entry that is not a Stripe object'
  return oddValue(answer)
}

/** Fields that are an instant wherever they stand, or null. */
const instants = new Set([
  'created',
  'canceled_at',
  'cancel_at',
  'ended_at',
  'start_date',
  'current_period_start',
  'current_period_end',
  'trial_start',
  'trial_end',
  'next_payment_attempt',
])

/** The end of the year 9999: later instants cannot be written as a date. */
const lastInstant = 253_402_300_799

/**
 * Looks for a malformed instant or currency at any depth: code behind this check computes
 * with them and writes them as dates and amounts. Free text is left out, as are objects of the
 * second API, which writes instants as text. It does not recurse, because depth is the sender's
 * choice.
 */
function oddValue(answer: JsonObject): string | undefined {
  const open: Json[] = [answer]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (Array.isArray(value)) {
      for (const one of value as readonly Json[]) if (typeof one === 'object' && one !== null) open.push(one)
      continue
    }
    if (!isJsonObject(value) || isOfSecondApi(value)) continue
    for (const name in value) {
      const field = value[name]
      if (field === null || field === undefined || name === 'metadata') continue
      if (typeof field === 'object') open.push(field)
      if (instants.has(name) && !isInstant(field)) return `${name} is not an instant`
      if (name === 'currency' && !isCurrency(field)) return 'currency is not a currency'
    }
  }
  return undefined
}

function isOfSecondApi({ object }: JsonObject): boolean {
  return typeof object === 'string' && object.startsWith('v2.')
}

function isInstant(value: Json): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= lastInstant
}

/** Three letters, as ISO 4217 has them. */
function isCurrency(value: Json): boolean {
  return typeof value === 'string' && /^[a-z]{3}$/.test(value)
}
