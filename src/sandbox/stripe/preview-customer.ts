// The customer as a preview's details change it: "overrides for an existing customer".
// https://docs.stripe.com/api/invoices/create_preview
import type { Context } from '../kernel/context.ts'
import { emptyable, fields, list, oneOf, required, text, type Parsed } from '../kernel/params.ts'
import { addressFields } from './address.ts'
import { customer, customers, type CustomerRow } from './customer-row.ts'
import { noAddress } from './payment-method-row.ts'
import { taxIdFields, taxIds } from './tax-ids.ts'

export const customerDetails = fields({
  address: emptyable(addressFields),
  shipping: emptyable(fields({ address: required(addressFields), name: required(text()), phone: emptyable(text()) })),
  tax: fields({ ip_address: emptyable(text()) }),
  tax_exempt: emptyable(oneOf('exempt', 'none', 'reverse')),
  tax_ids: list(fields(taxIdFields), { max: 5 }),
})
type Details = Parsed<typeof customerDetails>

/**
 * Runs `work` with the customer as the details change it, then restores everything: a preview
 * changes nothing.
 */
export function withDetails<T>(context: Context, id: string, details: Details | undefined, work: () => T): T {
  if (details === undefined) return work()
  const row = customer(context, id, 'customer')
  const adds = context.world.unsure.preview_tax_ids === 'add'
  // Those that the details replace.
  const own = details.tax_ids === undefined || adds ? [] : context.table(taxIds).by('customer', row.id)
  const given = (details.tax_ids ?? []).map(({ type, value }, i) => ({
    id: `txi_preview_${i}`,
    created: context.now,
    country: null,
    customer: row.id,
    type,
    value,
    verified: false,
  }))
  try {
    context.table(customers).put({ ...row, ...overrides(details) })
    for (const one of own) context.table(taxIds).delete(one.id)
    for (const one of given) context.table(taxIds).put(one)
    return work()
  } finally {
    for (const one of given) context.table(taxIds).delete(one.id)
    for (const one of own) context.table(taxIds).put(one)
    context.table(customers).put(row)
  }
}

function overrides({ address, shipping, tax, tax_exempt }: Details): Partial<CustomerRow> {
  return {
    ...(address === undefined ? {} : { address: address && { ...noAddress, ...address } }),
    ...(shipping === undefined
      ? {}
      : {
          shipping: shipping && {
            address: { ...noAddress, ...shipping.address },
            name: shipping.name,
            phone: shipping.phone ?? null,
          },
        }),
    ...(tax?.ip_address === undefined ? {} : { ip_address: tax.ip_address }),
    ...(tax_exempt === undefined ? {} : { tax_exempt: tax_exempt ?? 'none' }),
  }
}
