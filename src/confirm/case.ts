import type Stripe from 'stripe'
import type { AskedRow } from '../assumptions/questions.ts'

/**
 * How sure an expectation is. `measured`: seen on real Stripe by a public project, which the source
 * names. `documented`: written in Stripe's documentation or in its SDK. `assumed`: open; the case
 * has a question.
 */
export type Grade = 'measured' | 'documented' | 'assumed'

/**
 * What the product relies on in Stripe, as cases that run against the sandbox and against any
 * Stripe test account. `expected` is what the product assumes; it is right with each answer to an
 * open question.
 */
export type Case = Settled | Open

interface Common {
  readonly name: string
  readonly source: string
  readonly expected: unknown
  /** What the account must have (`the currency KWD`); without it the case cannot be asked. */
  readonly needs?: string
  run(ground: Ground): Promise<unknown>
}

interface Settled extends Common {
  readonly grade: 'measured' | 'documented'
}

/** A case for a question that the documents leave open. */
interface Open extends Common {
  readonly grade: 'assumed'
  readonly row: AskedRow
  /** The answer that shows each further reading of the question. */
  readonly otherwise: Readonly<Record<string, unknown>>
}

/** What every case starts from; created once per run. */
export interface Ground {
  readonly stripe: Stripe
  /** Seconds since 1970 on the account's own clock. */
  readonly now: number
  readonly product: string
  /** 49.00 USD a month, 490.00 a year, 9.00 a week. */
  readonly monthly: string
  readonly yearly: string
  readonly weekly: string
  price(about: Partial<Stripe.PriceCreateParams>): Promise<string>
  coupon(about: Stripe.CouponCreateParams): Promise<string>
  /** With a good card as the default, unless `about` says otherwise. */
  customer(about?: Stripe.CustomerCreateParams): Promise<string>
  /** A case that needs time: its own customer on a test clock, which is deleted afterwards. */
  timed<T>(from: string, run: (time: Timed) => Promise<T>): Promise<T>
}

export interface Timed {
  /** A customer on the clock; a clock holds at most three. */
  customer(about?: Stripe.CustomerCreateParams): Promise<string>
  /** Advances the clock to an instant. */
  to(instant: string): Promise<void>
}

export const day = 86_400

export function at(iso: string): number {
  return Date.parse(iso) / 1_000
}

export function iso(seconds: number | null | undefined): string {
  return new Date((seconds ?? 0) * 1_000).toISOString().replace('.000', '')
}

/**
 * Creates a subscription as a recipe does: never a proration, never a payment inside the request.
 */
export function create(
  { stripe }: Ground,
  params: Stripe.SubscriptionCreateParams & { readonly customer: string },
): Promise<Stripe.Subscription> {
  return stripe.subscriptions.create({ proration_behavior: 'none', payment_behavior: 'default_incomplete', ...params })
}

/** Creates a subscription as a member does: charged at once. */
export function signUp(
  { stripe }: Ground,
  params: Stripe.SubscriptionCreateParams & { readonly customer: string },
): Promise<Stripe.Subscription> {
  return stripe.subscriptions.create({ payment_behavior: 'error_if_incomplete', ...params })
}

/** The invoices of a subscription, oldest first: the start of what each bills, and how much. */
export async function billed({ stripe }: Ground, subscription: string): Promise<[string, number][]> {
  const { data } = await stripe.invoices.list({ subscription, limit: 100 })
  return data.toReversed().map(({ lines, total }) => [iso(lines.data[0]?.period.start), total])
}

export async function statuses({ stripe }: Ground, subscription: string): Promise<(string | null)[]> {
  const { data } = await stripe.invoices.list({ subscription, limit: 100 })
  return data.toReversed().map(({ status }) => status)
}

/** `accepted`, or the status of a refusal, with its code where the product reads it. */
export async function refusal(request: Promise<unknown>, about: { code?: true } = {}): Promise<string> {
  try {
    await request
    return 'accepted'
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string }
    if (statusCode === undefined) throw error
    return about.code === true ? `refused ${statusCode} ${code}` : `refused ${statusCode}`
  }
}
