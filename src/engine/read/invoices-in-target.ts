import type Stripe from 'stripe'
import { type JsonObject, objectIn, objectsIn, type StripeObject } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import { presentInvoices } from '../../handover/taken-back.ts'
import type { Context } from '../context.ts'
import type { Params } from '../ports.ts'
import { sideBySide } from '../side-by-side.ts'
import { listAll } from './lists.ts'

/** Reads of the target; undefined means that a read failed. */
export interface TargetReader {
  readonly list: (path: string, params: Params) => Promise<readonly StripeObject[] | undefined>
  readonly get: (path: string, params: Params) => Promise<StripeObject | undefined>
}

/**
 * Every invoice of a new subscription, as a revert looks at them: the newest one, the newest
 * renewal and each that is open with their payments and charges. Undefined when a read failed.
 */
export async function invoicesInTarget(
  reader: TargetReader,
  subscription: string,
): Promise<readonly Stripe.Invoice[] | undefined> {
  const all = await reader.list('/v1/invoices', { subscription })
  if (all === undefined) return undefined
  const listed = all as unknown as readonly Stripe.Invoice[]
  const present = new Set(presentInvoices(listed).map(({ id }) => id))
  const found: Stripe.Invoice[] = []
  for (const one of listed) {
    const isLookedAt = one.status === 'open' || (present.has(one.id) && one.status === 'paid')
    const whole = isLookedAt ? await wholeInvoice(reader, one.id ?? '') : one
    if (whole === undefined) return undefined
    found.push(whole)
  }
  return found
}

/** Charges lie deeper than Stripe expands, so each payment is read separately. */
export async function wholeInvoice(
  { get }: Pick<TargetReader, 'get'>,
  id: string,
): Promise<Stripe.Invoice | undefined> {
  const invoice = await get(`/v1/invoices/${id}`, { expand: ['payments'] })
  if (invoice === undefined) return undefined
  const payments = invoice['payments']
  const data = objectsIn(objectIn(payments)['data'])
  const whole: JsonObject[] = []
  for (const one of data) {
    const payment = objectIn(one['payment'])
    const intent = idOf(payment['payment_intent'])
    if (intent === undefined) {
      whole.push(one)
      continue
    }
    const found = await get(`/v1/payment_intents/${intent}`, { expand: ['latest_charge'] })
    if (found === undefined) return undefined
    whole.push({ ...one, payment: { ...payment, payment_intent: found } })
  }
  return { ...invoice, payments: { ...objectIn(payments), data: whole } } as unknown as Stripe.Invoice
}

const atOnce = 8

/**
 * The invoices of these new subscriptions. The lists of an account show neither void invoices nor
 * payments, so those of subscribers who are to be reverted are read one by one. One that cannot be
 * read is left out.
 */
export async function invoicesToTakeBack(
  { accounts: { target } }: Pick<Context, 'accounts'>,
  subscriptions: readonly string[],
): Promise<ReadonlyMap<string, readonly Stripe.Invoice[]>> {
  const reader: TargetReader = {
    list: (path, params) => listAll(target, path, params),
    get: (path, params) => target.retrieve(path, params),
  }
  const found = new Map<string, readonly Stripe.Invoice[]>()
  await sideBySide(
    subscriptions.map((id) => [id]),
    atOnce,
    async (id) => {
      const invoices = await invoicesInTarget(reader, id)
      if (invoices !== undefined) found.set(id, invoices)
      return true
    },
  )
  return found
}
