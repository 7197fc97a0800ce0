// A small account for billing tests: one customer with a good card, a product, prices, and a clock.
import type Stripe from 'stripe'
import { parseInstant } from '../../../src/core/instant.ts'
import { present } from '../../../src/core/assert.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts'
import { chargesOf, type LedgerEntry } from '../../../src/sandbox/stripe/charges.ts'
import { clientOf } from '../client.ts'

export interface School {
  readonly sandbox: Sandbox
  readonly stripe: Stripe
  readonly customer: string
  readonly product: string
  /** 49.00 USD a month. */
  readonly monthly: string
  /** Advances the clock to an instant. */
  readonly until: (iso: string) => Promise<void>
  readonly price: (about: Partial<Stripe.PriceCreateParams>) => Promise<string>
  readonly coupon: (about: Stripe.CouponCreateParams) => Promise<string>
  readonly ledger: () => LedgerEntry[]
}

/** The seconds of an ISO instant. */
export function at(iso: string): number {
  return present(parseInstant(iso), iso)
}

export function iso(seconds: number | null | undefined): string {
  return new Date((seconds ?? 0) * 1_000).toISOString().replace('.000', '')
}

export async function school(
  options: Omit<SandboxOptions, 'clock'> & { clock?: string; card?: string } = {},
): Promise<School> {
  const { clock = '2027-01-10T12:00:00Z', card = 'pm_card_visa', ...others } = options
  const sandbox = createSandbox({ ...others, clock: present(parseInstant(clock), clock) })
  const stripe = clientOf(sandbox)
  const customer = await stripe.customers.create({
    email: 'member@example.com',
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  })
  const product = await stripe.products.create({ name: 'Membership' })
  const price = async (about: Partial<Stripe.PriceCreateParams>): Promise<string> => {
    const made = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 4900,
      recurring: { interval: 'month' },
      ...about,
    })
    return made.id
  }
  return {
    sandbox,
    stripe,
    customer: customer.id,
    product: product.id,
    monthly: await price({}),
    until: (to) => sandbox.world.advance(present(parseInstant(to), to)),
    price,
    coupon: async (about) => (await stripe.coupons.create(about)).id,
    ledger: () => chargesOf(sandbox.world),
  }
}

/** The main fields of an invoice. */
export function glance(invoice: Stripe.Invoice) {
  const { status, total, amount_due, billing_reason } = invoice
  return { status, total, amount_due, billing_reason }
}
