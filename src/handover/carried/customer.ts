import type Stripe from 'stripe'
import { canonicalJson } from '../../core/canonical.ts'
import type { JsonObject } from '../../core/json.ts'
import { liveValue } from '../live-values.ts'
import type { Findings } from '../findings.ts'
import type { PlannedStep } from '../types.ts'

/**
 * The steps that carry the customer. Stripe's copy brings name, address and cards, but does not
 * promise tax ids, tax exemption, languages, shipping, invoice settings or a default payment
 * method. Values that the target's customer already has are kept.
 */
export function customerSteps(
  old: Stripe.Customer,
  target: Stripe.Customer,
  defaultPayment: JsonObject | null,
  findings: Findings,
): readonly PlannedStep[] {
  const changes = merged(customerChanges(old, target), defaultPayment)
  const update =
    Object.keys(changes).length === 0 ? [] : [customerStep('carry-customer', `/v1/customers/${target.id}`, changes)]
  return [...update, ...taxIdSteps(old, target, findings)]
}

function customerChanges(old: Stripe.Customer, target: Stripe.Customer): JsonObject {
  const invoice = invoiceSettings(old, target)
  const exempt = old.tax_exempt ?? 'none'
  const locales = old.preferred_locales ?? []
  return {
    ...((target.tax_exempt ?? 'none') === 'none' && exempt !== 'none' ? { tax_exempt: exempt } : {}),
    ...((target.preferred_locales ?? []).length === 0 && locales.length > 0 ? { preferred_locales: locales } : {}),
    ...(target.shipping === null && old.shipping !== null ? { shipping: liveValue('customer/shipping') } : {}),
    ...(Object.keys(invoice).length === 0 ? {} : { invoice_settings: invoice }),
  }
}

function invoiceSettings(
  { invoice_settings: old }: Stripe.Customer,
  { invoice_settings: target }: Stripe.Customer,
): JsonObject {
  const fields = old.custom_fields ?? []
  const display = old.rendering_options?.amount_tax_display ?? null
  const missingDisplay = (target.rendering_options?.amount_tax_display ?? null) === null && display !== null
  return {
    ...((target.custom_fields ?? []).length === 0 && fields.length > 0
      ? { custom_fields: liveValue('customer/invoice_settings/custom_fields') }
      : {}),
    ...(target.footer === null && old.footer !== null ? { footer: liveValue('customer/invoice_settings/footer') } : {}),
    ...(missingDisplay ? { rendering_options: { amount_tax_display: display } } : {}),
  }
}

/** One step for each tax id that the target's customer lacks. The target verifies it itself. */
function taxIdSteps(old: Stripe.Customer, target: Stripe.Customer, findings: Findings): readonly PlannedStep[] {
  if (old.tax_ids?.has_more === true || target.tax_ids?.has_more === true) {
    findings.block('customer_tax_id_missing', `customer ${old.id} has more tax ids than were read`)
    return []
  }
  const there = new Set((target.tax_ids?.data ?? []).map(taxIdKey))
  const missing = (old.tax_ids?.data ?? []).filter((taxId) => !there.has(taxIdKey(taxId)))
  return missing.flatMap((taxId, i) => {
    if (taxId.type === 'unknown') {
      findings.block(
        'customer_tax_id_missing',
        `customer ${old.id} has a tax id (${taxId.id}) of a kind that cannot be created`,
      )
      return []
    }
    const params = { type: taxId.type, value: liveValue(`customer/tax_ids/${taxId.id}/value`) }
    return [customerStep(`carry-tax-id-${i}`, `/v1/customers/${target.id}/tax_ids`, params)]
  })
}

function taxIdKey({ type, value }: Stripe.TaxId): string {
  return `${type}:${value.replaceAll(/\s/g, '').toUpperCase()}`
}

function customerStep(id: string, path: string, params: JsonObject): PlannedStep {
  return { id, account: 'target', method: 'POST', path, params }
}

function merged(changes: JsonObject, defaultPayment: JsonObject | null): JsonObject {
  if (defaultPayment === null) return changes
  const both = {
    ...(changes['invoice_settings'] as JsonObject | undefined),
    ...(defaultPayment['invoice_settings'] as JsonObject | undefined),
  }
  return { ...changes, ...defaultPayment, ...(canonicalJson(both) === '{}' ? {} : { invoice_settings: both }) }
}
