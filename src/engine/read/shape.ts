import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'

/**
 * The fields that this program reads without checking for them, because Stripe always sends them.
 * When a proxy drops one, the answer is unusable, and nothing is decided from it. Letters: s text,
 * n number, b boolean, o object, a list, r reference (text or object); `?` or null.
 */
const required: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  subscription: {
    id: 's',
    status: 's',
    currency: 's',
    customer: 'r',
    created: 'n',
    start_date: 'n',
    billing_cycle_anchor: 'n',
    collection_method: 's',
    cancel_at_period_end: 'b',
    cancel_at: 'n?',
    trial_end: 'n?',
    metadata: 'o',
    automatic_tax: 'o',
    items: 'o',
    discounts: 'a',
    pause_collection: 'o?',
  },
  subscription_item: { id: 's', price: 'o', current_period_end: 'n', discounts: 'a', metadata: 'o' },
  subscription_schedule: { id: 's', status: 's', customer: 'r', phases: 'a' },
  customer: { id: 's', created: 'n' },
  invoice: { id: 's', created: 'n', currency: 's', status: 's?', amount_paid: 'n' },
  invoiceitem: { id: 's', amount: 'n', currency: 's', customer: 'r' },
  price: { id: 's', currency: 's', product: 'r', active: 'b', recurring: 'o?' },
  product: { id: 's', active: 'b' },
  coupon: { id: 's', duration: 's' },
  charge: { id: 's', created: 'n', amount: 'n', currency: 's' },
}

const fits: Readonly<Record<string, (value: Json | undefined) => boolean>> = {
  s: (value) => typeof value === 'string',
  n: (value) => typeof value === 'number' && Number.isFinite(value),
  b: (value) => typeof value === 'boolean',
  o: isJsonObject,
  a: Array.isArray,
  r: (value) => typeof value === 'string' || isJsonObject(value),
}

/** The field that is missing or has another type; undefined for a usable answer. */
function oddShape(answer: JsonObject): string | undefined {
  const { object, deleted } = answer
  if (typeof object !== 'string' || deleted === true || !Object.hasOwn(required, object)) return undefined
  for (const [name, type] of Object.entries(required[object] ?? {})) {
    const value = answer[name]
    const isNull = type.endsWith('?') && (value === null || value === undefined)
    if (!isNull && fits[type.charAt(0)]?.(value) !== true) return `${named(answer)} has no usable ${name}`
  }
  return object === 'subscription' ? oddItems(answer) : undefined
}

function oddItems(subscription: JsonObject): string | undefined {
  const { items } = subscription
  return isJsonObject(items) ? oddList({ object: 'list', ...items }) : undefined
}

function oddList({ data, has_more: more }: JsonObject): string | undefined {
  if (!Array.isArray(data)) return 'a list has no data'
  if (more !== undefined && typeof more !== 'boolean') return 'a list has no usable has_more'
  for (const one of data as readonly Json[]) {
    if (!isJsonObject(one) || typeof one['object'] !== 'string')
      return 'a list contains something that is not a Stripe object'
    const odd = oddShape(one)
    if (odd !== undefined) return odd
  }
  return undefined
}

function named({ object, id }: JsonObject): string {
  return `${String(object as string)} ${typeof id === 'string' ? id : '(without id)'}`
}

/**
 * Returns the same object, or throws: nothing is decided from an incomplete object.
 * @throws CommandError `list_unreadable`
 */
export function whole(account: string, path: string, object: StripeObject): StripeObject {
  const odd = oddShape(object)
  if (odd === undefined) return object
  throw new CommandError('list_unreadable', `account ${account}: ${path} cannot be used: ${odd}`, {
    notDone: 'nothing was decided from an incomplete answer',
    fix: 'run the command again; if the error persists, check for a proxy between this machine and Stripe',
  })
}
