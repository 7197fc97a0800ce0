import { formatInstant } from '../core/instant.ts'
import { idOf } from '../core/reference.ts'
import { isCollected } from '../live/invoice.ts'
import { isMetered } from '../live/metered.ts'
import type { SourceDiscount, SourceSubscription } from '../live/source.ts'
import { paymentFailure } from '../live/subscription.ts'
import { siblingsOf, type Candidate } from './candidate.ts'
import type { Findings } from './findings.ts'

/*
 * Usage is recorded for a customer of one account and cannot be moved. So a subscription that is
 * billed by usage is carried at the boundary of its period (`policies.metered: carry`):
 *
 *     until T   the old account records and bills the usage; the new subscription waits
 *     at T      the old subscription bills that usage and ends, the new one bills its own items
 *     after T   the target records and bills the usage
 *
 * Until T a revert takes back both. What would be on both last invoices, or on neither, stops the
 * move.
 */

/** Whether an item is billed by usage. */
export function isByUsage({ items }: Pick<SourceSubscription, 'items'>): boolean {
  return items.some(({ price }) => isMetered(price))
}

/** Why a subscription that is billed by usage cannot change accounts at the end of its period. */
export function noLooseUsage(candidate: Candidate, findings: Findings): void {
  const { old, around } = candidate
  const metered = old.items.find(({ price }) => isMetered(price))
  if (metered === undefined) return
  const price = `price ${metered.price.id} is billed by usage`
  const whys = reasonsToStay(candidate)
  for (const why of whys) findings.block('metered_price', `${price}, and ${why}`, stayFix)
  if (whys.length === 0 && around.policies.metered === 'stop') findings.block('metered_price', price)
}

const stayFix =
  'Remove this in the old account, then run `crossbill pull`, or wait until it is over. Or leave these subscribers: `policies: { leave: { metered_price: REASON } }` in project.yaml.'

function reasonsToStay(candidate: Candidate): readonly string[] {
  const { old, customerOld, source } = candidate
  const { raw } = old
  const invoices = source.invoices.get(old.id) ?? []
  const found: readonly (readonly [boolean, string])[] = [
    [old.items.some(hasNoMeter), 'it has no meter: such prices cannot be created any more'],
    [old.mixed || old.cycle === null, 'its items have different intervals'],
    [old.pause !== null, 'its collection is paused'],
    [raw.schedule !== null, 'a schedule manages the subscription'],
    [
      old.cancelAt !== null,
      `it has an end of its own${old.cancelAt === null ? '' : ` (${formatInstant(old.cancelAt)})`}`,
    ],
    [hasThreshold(old), 'its billing threshold bills usage within the period'],
    [
      paymentFailure(raw) !== undefined || invoices.some(isCollected),
      'its last invoice is not paid: the end would stop its collection',
    ],
    [(customerOld?.balance ?? 0) !== 0, 'its customer has a balance, which the last invoice would use'],
    [
      discountsOf(old).some(countsTwice),
      'it has a discount of an amount or for one invoice, which would reduce the last invoice and the first one of the target',
    ],
    [sharesMeter(candidate), 'another subscription of the customer bills the same usage'],
  ]
  return found.flatMap(([is, why]) => (is ? [why] : []))
}

function hasNoMeter({ price }: SourceSubscription['items'][number]): boolean {
  return isMetered(price) && (price.recurring?.meter ?? null) === null
}

function hasThreshold({ raw: { billing_thresholds: thresholds, items } }: SourceSubscription): boolean {
  return (thresholds ?? null) !== null || items.data.some((item) => (item.billing_thresholds ?? null) !== null)
}

function discountsOf({ discounts, items }: SourceSubscription): readonly SourceDiscount[] {
  return [...discounts, ...items.flatMap((item) => item.discounts)]
}

/**
 * For a member, the last invoice of the old account and the first one of the target are one
 * invoice.
 */
function countsTwice({ coupon }: SourceDiscount): boolean {
  return coupon === null || coupon.amount_off !== null || coupon.duration === 'once'
}

/** Usage is recorded for the customer: after the move, the other subscription would bill none. */
function sharesMeter(candidate: Candidate): boolean {
  const metersOf = (prices: readonly { readonly recurring: { readonly meter: string | null } | null }[]): string[] =>
    prices.flatMap(({ recurring }) => (recurring?.meter == null ? [] : [idOf(recurring.meter)]))
  const own = new Set(metersOf(candidate.old.items.map(({ price }) => price)))
  return siblingsOf(candidate).some(({ items }) =>
    metersOf(items.data.map(({ price }) => price)).some((one) => own.has(one)),
  )
}
