import type Stripe from 'stripe'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import { formatInstant } from '../../core/instant.ts'
import { idOf } from '../../core/reference.ts'
import { cardCodes, type CardCode } from '../../handover/card-codes.ts'
import { findingsOf, type CardFinding, type ChargedMethod } from '../../handover/cards.ts'
import { nextChargeOf } from '../../handover/charges.ts'
import type { CopyMap } from '../../handover/types.ts'
import type { Live } from '../../live/accounts.ts'
import type { EnteredCard } from '../../live/entered-card.ts'
import { readPayment, readSource, type SourceSubscription } from '../../live/source.ts'
import { isAlive } from '../../live/subscription.ts'
import { sidesOf, type Sides } from '../check/sides.ts'
import type { Context } from '../context.ts'
import { survey, type Survey } from '../plan/survey.ts'
import { methodsListed, readMethod } from '../read/payment-methods.ts'
import { sideBySide } from '../side-by-side.ts'

export interface CardsCheck {
  /** No renewal is expected to fail. */
  readonly ok: boolean
  /** Subscribers whose next renewal charges a payment method. */
  readonly checked: number
  /** Payment methods that no list shows and that were read one by one. */
  readonly reads: number
  readonly findings: readonly FoundCard[]
}

export interface FoundCard {
  readonly code: CardCode
  readonly subscriber: string
  /** The method that the renewal would charge; null without one. */
  readonly method: string | null
  /** The next renewal, and its amount in minor units. */
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly message: string
  readonly fix: string
}

/** One subscriber's next renewal, and what it would charge in the target. */
interface Renewal {
  readonly key: string
  /** The subscription that bills now: the old one before the move. */
  readonly billing: SourceSubscription
  readonly successor: Stripe.Subscription | undefined
  readonly old: string | null
  /** Undefined when the old method has no copy; null when nothing would be charged. */
  readonly charged: { readonly customer: string; readonly id: string } | null | undefined
  /** The member entered it in the target. */
  readonly entered?: EnteredCard
}

/**
 * What the target shows about the payment method of each subscriber's next renewal, before and
 * after the move. Read-only, and silent: no bank is asked and no member notices. Methods that are
 * the default of their customer or subscription come from lists; the others are read one by one.
 */
export async function cardsCheck(context: Context): Promise<CardsCheck> {
  return await cardsOf(context, await survey(context))
}

/** The same of accounts that were already read. */
export async function cardsOf(context: Context, { live, input }: Pick<Survey, 'live' | 'input'>): Promise<CardsCheck> {
  const { subscribers, project } = context.catalog
  const renewals = sidesOf(live, subscribers, project.name).flatMap((sides) => renewalOf(sides, live, input.copyMaps))
  const target = methodsListed(live.target)
  const before = new Map([...live.sources.values()].flatMap((account) => [...methodsListed(account)]))
  const reads = await readMissing(context, target, renewals)
  const { now } = input
  const findings = renewals.flatMap((renewal): FoundCard[] => {
    const charge = nextChargeOf(renewal.billing)
    if (charge === null || charge.amount === 0) return []
    const found = problemsOf(renewal, { target, before, now, next: charge.at })
    return found.map(({ code, message }) => ({
      code,
      subscriber: renewal.key,
      method: renewal.charged?.id ?? renewal.old,
      at: formatInstant(charge.at),
      amount: charge.amount,
      currency: charge.currency,
      message,
      fix: cardCodes[code].fix,
    }))
  })
  return { ok: findings.length === 0, checked: renewals.length, reads, findings }
}

function problemsOf(
  { old, charged, entered, successor }: Renewal,
  seen: {
    readonly target: ReadonlyMap<string, Stripe.PaymentMethod>
    readonly before: ReadonlyMap<string, Stripe.PaymentMethod>
    readonly now: ChargedMethod['next']
    readonly next: ChargedMethod['next']
  },
): readonly CardFinding[] {
  if (charged === undefined) return [{ code: 'method_not_copied', message: `${old ?? 'its method'} has no copy` }]
  if (charged === null) return [{ code: 'no_method', message: 'no payment method would be charged' }]
  const { id } = charged
  const shown = entered?.shown ?? seen.target.get(id)
  const isEntered = entered !== undefined
  const about = { id, shown, old: seen.before.get(old ?? ''), successor, isEntered, next: seen.next }
  return findingsOf(about, seen.now)
}

/** Subscribers who are still to be moved, or who have moved; sent invoices charge nothing. */
function renewalOf(sides: Sides, live: Live, copyMaps: ReadonlyMap<string, CopyMap>): Renewal[] {
  const { key, source, declared, old, alive, movedBy } = sides
  if (movedBy !== undefined || !isIncluded(declared)) return []
  const [successor] = alive
  const raw = successor ?? old
  const account = successor === undefined ? live.sources.get(source) : live.target
  if (raw === undefined || account === undefined || !isAlive(raw)) return []
  if (raw.collection_method !== 'charge_automatically') return []
  const customer = account.customers.get(idOf(raw.customer))
  const billing = readSource(raw, customer, account.prices, account.coupons)
  if (billing.ending !== null) return []
  const payment = readPayment(raw, customer)
  const before = successor === undefined ? (payment?.id ?? null) : copiedFrom(payment?.id, sides, { live, copyMaps })
  const entered = successor === undefined ? live.target.entered?.get(raw.id) : undefined
  if (entered !== undefined) return [{ key, billing, successor, old: null, charged: entered, entered }]
  if (payment === null) return [{ key, billing, successor, old: before, charged: null }]
  const charged =
    successor === undefined
      ? copyMaps.get(source)?.payments.get(payment.id)
      : { customer: idOf(raw.customer), id: payment.id }
  return [{ key, billing, successor, old: before, charged }]
}

/** The method of the old account whose copy the new subscription charges; null for any other. */
function copiedFrom(
  charged: string | undefined,
  { source, old }: Sides,
  { live, copyMaps }: { readonly live: Live; readonly copyMaps: ReadonlyMap<string, CopyMap> },
): string | null {
  const customer = old === undefined ? undefined : live.sources.get(source)?.customers.get(idOf(old.customer))
  const before = old === undefined ? undefined : readPayment(old, customer)?.id
  const copy = before === undefined ? undefined : copyMaps.get(source)?.payments.get(before)?.id
  return before !== undefined && copy !== undefined && copy === charged ? before : null
}

function isIncluded(declared: DesiredSubscriber | undefined): boolean {
  return declared !== undefined && declared.excluded === undefined
}

const atATime = 16

/** Reads what no list shows into `target`. Returns the number of reads. */
async function readMissing(
  context: Context,
  target: Map<string, Stripe.PaymentMethod>,
  renewals: readonly Renewal[],
): Promise<number> {
  const wanted = new Map(
    renewals.flatMap(({ charged, entered }) =>
      charged == null || entered !== undefined || target.has(charged.id) ? [] : [[charged.id, charged]],
    ),
  )
  context.progress.start('reading payment methods', wanted.size)
  await sideBySide(
    [...wanted.values()].map((one) => [one]),
    atATime,
    async ({ id, customer }) => {
      const found = await readMethod(context, { customerNew: customer, sourceNew: id })
      context.progress.step()
      if (found !== undefined && idOf(found.customer ?? '') === customer) target.set(id, found)
      return !context.interrupt.requested
    },
  )
  context.progress.done()
  return wanted.size
}
