// What members do regularly.
import { instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { invoices } from '../stripe/billing/rows.ts'
import { customers } from '../stripe/customer-row.ts'
import { paymentMethods } from '../stripe/payment-method-row.ts'
import { spread } from './chance.ts'
import { Maker } from './maker.ts'

/** Members who receive invoices pay when they are reminded, in the account that reminds them. */
export function hearReminder(context: Context, object: object): void {
  const { id, customer } = object as { id?: unknown; customer?: unknown }
  if (typeof id !== 'string' || typeof customer !== 'string') return
  if (context.table(customers).get(customer)?.metadata['member'] === undefined) return
  // The same number of hours in every world and account: it depends only on the customer.
  const hours = 5 + spread(customer, 60)
  context.schedule(instant(context.now + hours * 3_600), 'school.pay_sent', id)
}

export function paySent(context: Context, invoice: string): void {
  const customer = context.table(invoices).get(invoice)?.customer ?? ''
  const [method] = context.table(paymentMethods).by('customer', customer)
  const how = method === undefined ? { paid_out_of_band: true } : { payment_method: method.id }
  // A refusal (paid or voided meanwhile) is fine: nothing is due then.
  new Maker(context.world).try(context.account, `/v1/invoices/${invoice}/pay`, how)
}
