import type Stripe from 'stripe'
import type { Catalog } from '../../catalog/types.ts'
import { type JsonObject, objectIn, objectsIn, type StripeObject } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { isAlive } from '../../live/subscription.ts'
import type { Context } from '../context.ts'
import type { Params } from '../ports.ts'
import { listAll } from './lists.ts'

/** Reads of the target; undefined means that a read failed. */
export interface TargetReader {
  readonly list: (path: string, params: Params) => Promise<readonly StripeObject[] | undefined>
  readonly get: (path: string, params: Params) => Promise<StripeObject | undefined>
}

/**
 * Every invoice of a new subscription, as a revert looks at them: the newest one and each that is
 * open with its payments and charges. Undefined when a read failed.
 */
export async function invoicesInTarget(
  reader: TargetReader,
  subscription: string,
): Promise<readonly Stripe.Invoice[] | undefined> {
  const all = await reader.list('/v1/invoices', { subscription })
  if (all === undefined) return undefined
  const listed = all as unknown as readonly Stripe.Invoice[]
  const newest = listed.toSorted((a, b) => b.created - a.created)[0]
  const found: Stripe.Invoice[] = []
  for (const one of listed) {
    const isLookedAt = one.status === 'open' || (one.id === newest?.id && one.status === 'paid')
    const whole = isLookedAt ? await wholeInvoice(reader, one.id ?? '') : one
    if (whole === undefined) return undefined
    found.push(whole)
  }
  return found
}

/** Charges lie deeper than Stripe expands, so each payment is read separately. */
export async function wholeInvoice({ get }: TargetReader, id: string): Promise<Stripe.Invoice | undefined> {
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

/**
 * The invoices of those who are to be reverted, by new subscription. The lists of an account show
 * neither void invoices nor payments, so these few are read one by one.
 */
export async function invoicesToTakeBack(
  { accounts: { target }, catalog }: { readonly accounts: Context['accounts']; readonly catalog: Catalog },
  { subscriptions }: LiveAccount,
): Promise<ReadonlyMap<string, readonly Stripe.Invoice[]>> {
  const declared = catalog.subscribers.filter(
    ({ stage, excluded, unstaged }) => stage === 'source' && excluded === undefined && unstaged !== true,
  )
  const going = new Set(declared.map(({ subscription }) => subscription))
  const reader: TargetReader = {
    list: (path, params) => listAll(target, path, params),
    get: (path, params) => target.retrieve(path, params),
  }
  const found = new Map<string, readonly Stripe.Invoice[]>()
  for (const one of subscriptions) {
    if (!going.has(oldIdOf(one.metadata[markFrom])) || !isAlive(one)) continue
    const invoices = await invoicesInTarget(reader, one.id)
    if (invoices !== undefined) found.set(one.id, invoices)
  }
  return found
}
