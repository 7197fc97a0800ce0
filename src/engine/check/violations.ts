import { idOf } from '../../core/reference.ts'
import { hasBegun, isHeld, isOver, isSettled, isUndone, mayCharge, settledAs } from '../../live/subscription.ts'
import { mayBeDeclared } from '../../catalog/left-out.ts'
import type { Catalog } from '../../catalog/types.ts'
import { formatInstant, instant, type Instant } from '../../core/instant.ts'
import type Stripe from 'stripe'
import { formatMoney } from '../../core/money.ts'
import { isOf } from '../../handover/carried/money-steps.ts'
import { isEnding } from '../../handover/while-held.ts'
import { isCollected, standsStill } from '../../live/invoice.ts'
import { observeNew, observeOld } from '../../live/observations.ts'
import { asHeld } from '../../live/as-held.ts'
import { readHold, readSource } from '../../live/source.ts'
import { aboutUnmarked, fixUnmarked, markAsText, unmarkedSuccessors } from '../../handover/unmarked.ts'
import type { CopyMap, HandoverDrift, Reason } from '../../handover/types.ts'
import type { Live } from '../../live/accounts.ts'
import { paymentDiffers, wrongCopy } from './copies.ts'
import { noMethodOfNew, noMethodOfOld } from './no-method.ts'
import { endedInTarget } from './ended-in-target.ts'
import { nextCharge, type Sides } from './sides.ts'
import { fixByApply, moneyInFlight, periodUnaccounted } from './stopped-runs.ts'

export const violationCodes = [
  'double_payer',
  'no_payer',
  'paused_in_target',
  'terms_differ',
  'next_charge_differs',
  'discount_lost',
  'schedule_lost',
  'undeclared_subscription',
  'entry_invalid',
  'entry_differs',
  'not_in_source',
  'other_project',
  'accounts_exchanged',
  'schedule_not_begun',
  'external_biller',
  'duplicate_target',
  'held_without_successor',
  'unmarked_successor',
  'hold_missing',
  'unfinished',
  'ended_in_target',
  'cancelled_in_source',
  'lapsed_in_source',
  'no_method_in_source',
  'no_method_in_target',
  'drift_on_held_source',
  'money_on_held_source',
  'customer_split',
  'money_in_flight',
  'money_left_in_target',
  'money_left_behind',
  'usage_misplaced',
  'proration_uncredited',
  'period_unaccounted',
  'period_unpaid',
  'collection_stopped',
  'open_invoice_on_source',
  'finalization_failed',
  'draft_too_old',
  'copy_mismatch',
  'mapping_differs',
  'payment_method_differs',
  'access_missing',
  'access_extra',
  'payer_without_address',
  'same_person_pays_twice',
] as const

export type ViolationCode = (typeof violationCodes)[number]

export interface Violation {
  readonly code: ViolationCode
  /** `us/sub_…`, or `us/cus_…` for what is not a subscription. */
  readonly subscriber: string
  readonly detail: string
  /** The command or edit that fixes it. */
  readonly fix: string
}

/** The input of every rule. */
export interface RuleInput {
  readonly live: Live
  readonly catalog: Pick<Catalog, 'leftOut'>
  readonly now: Instant
  readonly drift: ReadonlyMap<string, readonly HandoverDrift[]>
  /** Reasons of blocked subscribers. */
  readonly blocked: ReadonlyMap<string, readonly Reason[]>
  /** By source name. */
  readonly copyMaps: ReadonlyMap<string, CopyMap>
  /**
   * Ids of all copied payment methods of every source. No member chose one of these in the target.
   */
  readonly copied: ReadonlySet<string>
  /** Live subscriptions of the target that name no old subscription, by customer. */
  readonly unmarked: ReadonlyMap<string, readonly Stripe.Subscription[]>
  /** Every subscription of the target, by id. */
  readonly inTarget: ReadonlyMap<string, Stripe.Subscription>
}

type Rule = (sides: Sides, ruleInput: RuleInput) => Omit<Violation, 'code' | 'subscriber'> | undefined

/** One rule for each code. A rule returns undefined, or what is wrong and how to fix it. */
export const subscriberRules: Readonly<Partial<Record<ViolationCode, Rule>>> = {
  double_payer: ({ old, alive, source }) => {
    const payer = alive.find(mayCharge)
    if (!mayCharge(old) || payer === undefined) return undefined
    return {
      detail: `${old?.id} in ${source} and ${payer.id} in the target both charge`,
      fix: `${fixByApply}; it restores the hold`,
    }
  },
  duplicate_target: ({ alive }) =>
    alive.length < 2
      ? undefined
      : {
          detail: `${alive.map(({ id }) => id).join(' and ')} live in the target`,
          fix: 'cancel the wrong one in the target',
        },
  unfinished: driftRule('unfinished', fixByApply),
  hold_missing: ({ old, alive, key }, { drift }) => {
    const observation = observeOld(old)
    const changed = drift.get(key)?.find(({ code }) => code === 'hold_missing')
    if (observation === 'held' && changed !== undefined)
      return { detail: changed.message, fix: `${fixByApply}; it restores the hold` }
    if (old === undefined || alive.length === 0 || (observation !== 'free' && observation !== 'hold_removed'))
      return undefined
    const resumes = old.pause_collection?.resumes_at ?? null
    const held =
      resumes === null
        ? 'is paused, but not by Crossbill’s hold,'
        : `will collect from ${formatInstant(instant(resumes))} on`
    return {
      detail: `${old.id} ${mayCharge(old) ? 'collects' : held} although its successor ${alive[0]?.id} lives`,
      fix: `${fixByApply}; it restores the hold`,
    }
  },
  held_without_successor: heldAlone,
  unmarked_successor: unmarkedSuccessor,
  no_payer: noPayer,
  paused_in_target: driftRule(
    'paused_in_target',
    'if the pause is not intended, resume the collection in the Dashboard of the target; if it is, name `paused_in_target` under `override` of the entry',
  ),
  ended_in_target: endedInTarget,
  cancelled_in_source: cancelledInSource,
  lapsed_in_source: lapsedInSource,
  no_method_in_source: noMethodOfOld,
  no_method_in_target: noMethodOfNew,
  money_on_held_source: driftRule(
    'money_on_held_source',
    'before the next renewal: bill it in the target, or with an invoice of its own in the old account, and remove it there',
  ),
  customer_split: driftRule(
    'customer_split',
    'before that renewal: move the other subscriptions of the customer as well, or set the stage of this one to `source` and apply; to leave it so, name `customer_split` under `override`',
  ),
  money_in_flight: moneyInFlight,
  period_unaccounted: periodUnaccounted,
  undeclared_subscription: ({ declared, old, source, key }, { catalog }) =>
    declared === undefined && !mayBeDeclared(catalog, source, key) && old !== undefined && hasBegun(old)
      ? {
          detail: `${old.id} in ${source} is in no subscriber file`,
          fix: `crossbill pull --source ${source}, then declare or exclude it`,
        }
      : undefined,
  entry_differs: driftRule('entry_differs', 'crossbill pull writes what is billed into the entry'),
  not_in_source: blockedRule('not_in_source'),
  next_charge_differs: nextChargeDiffers,
  open_invoice_on_source: openInvoice,
  terms_differ: changedInTarget,
  discount_lost: driftRule(
    'discount_lost',
    'set the stage back to `source` and apply, run crossbill pull, then move again: the move counts what is left of it; if it was taken away on purpose, name `discount_lost` under `override`',
  ),
  schedule_lost: driftRule(
    'schedule_lost',
    'set the stage back to `source` and apply, then move again: the move carries the remaining phases',
  ),
  drift_on_held_source: driftRule(
    'drift_on_held_source',
    'before the next renewal: to carry the change, set the stage to `source` and apply, run crossbill pull, then move again; or put it back in the old account; or make the same change in the target, then name `drift_on_held_source` under `override`',
  ),
  copy_mismatch: wrongCopy,
  payment_method_differs: paymentDiffers,
}

/**
 * A cancel by an old door. Crossbill follows it when the new subscription also ends. Otherwise it
 * settles only on the word of the subscriber's file; a later stage of the wave does not decide it.
 */
function cancelledInSource(sides: Sides, ruleInput: RuleInput): ReturnType<Rule> {
  const { old, alive, declared, key } = sides
  if (old === undefined || alive.length === 0) return undefined
  const fix = `if the member meant to leave: crossbill cancel ${key}; if they stay: name \`cancelled_in_source\` under \`override\` of their entry`
  const asked = ruleInput.drift.get(key)?.find(({ code }) => code === 'cancelled_in_source')
  if (!isOver(old)) return asked && { detail: asked.message, fix, ...withItems(asked.message, sides, ruleInput) }
  const isKnown = declared?.override?.includes('cancelled_in_source') === true || alive.every(isEnding)
  if (observeOld(old) !== 'cancelled' || isKnown) return undefined
  return { detail: `${old.id} was cancelled in the old account while ${alive[0]?.id} continues`, fix }
}

/** The plan's word, with the commands for this subscriber. */
function lapsedInSource({ key }: Sides, { drift }: RuleInput): ReturnType<Rule> {
  const found = drift.get(key)?.find(({ code }) => code === 'lapsed_in_source')
  return (
    found && {
      detail: found.message,
      fix: `if the member is to end as in the old account: crossbill cancel ${key}; if they stay: name \`lapsed_in_source\` under \`override\` of their entry`,
    }
  )
}

/**
 * Items that wait in the target: a cancel at once leaves them there unbilled, an end with the
 * period bills them.
 */
function withItems(said: string, { alive, key }: Sides, { live }: RuleInput): ReturnType<Rule> {
  const [successor] = alive
  if (successor === undefined) return undefined
  const all = live.target.pendingItems.get(idOf(successor.customer)) ?? []
  const waiting = all.filter((one) => isOf(one, successor.id) && one.amount !== 0)
  if (waiting.length === 0) return undefined
  const items = waiting.map((one) => `item ${one.id} of ${formatMoney(one)} waits for its next invoice`)
  return {
    detail: `${said}; ${items.join('; ')}`,
    fix: `if the member meant to leave: set ${successor.id} to end with its period in the target, which also bills what waits (crossbill cancel ${key} at once would not); if they stay: name \`cancelled_in_source\` under \`override\` of their entry`,
  }
}

function driftRule(code: HandoverDrift['code'], fix: string): Rule {
  return ({ key }, { drift }) => {
    const found = drift.get(key)?.filter((one) => one.code === code) ?? []
    return found.length === 0 ? undefined : { detail: found.map(({ message }) => message).join('; '), fix }
  }
}

/** A pull of the target comes first where the catalog lacks what the subscriber has there. */
function changedInTarget(sides: Sides, ruleInput: RuleInput): ReturnType<Rule> {
  const found = driftRule('changed_in_target', 'crossbill pull takes what the subscriber changed into the YAML')
  const isUnknown = ruleInput.drift.get(sides.key)?.some(({ unknown }) => unknown === true) === true
  const violation = found(sides, ruleInput)
  if (violation === undefined || !isUnknown) return violation
  const fix =
    'crossbill pull --source target adds to the catalog what the subscriber has there; then crossbill pull takes it into their entry'
  return { ...violation, fix }
}

/** What the plan says about the entry of a subscriber, with its way out. */
function blockedRule(code: 'not_in_source'): Rule {
  return ({ key }, { blocked }) => {
    const found = blocked.get(key)?.find((one) => one.code === code)
    return found === undefined ? undefined : { detail: found.message, fix: found.fix }
  }
}

/**
 * Crossbill's own hold keeps these renewals from being charged, so each of them is reported with
 * it.
 */
function heldAlone({ old, successors, source, key }: Sides, { live }: RuleInput): ReturnType<Rule> {
  if (old === undefined || !isHeld(old) || !successors.every(isUndone)) return undefined
  const since = readHold(old)?.since ?? 0
  const latest =
    typeof old.latest_invoice === 'object' && old.latest_invoice?.status === 'void' ? old.latest_invoice : null
  const drafts = (live.sources.get(source)?.invoices.get(old.id) ?? []).filter(
    (one) => one.status === 'draft' && standsStill(one),
  )
  const kept = [...drafts, ...(latest === null ? [] : [latest])]
    .filter((one) => since > 0 && one.created >= since && one.total > 0)
    .toSorted((a, b) => a.created - b.created)
  const periods = kept.map(
    ({ created, total, currency }) =>
      `${formatInstant(instant(created)).slice(0, 10)} ${formatMoney({ amount: total, currency })}`,
  )
  const missed = periods.length === 0 ? '' : `; Crossbill’s hold has kept back ${periods.join(', ')}`
  const { erased } = live.target
  // There was a successor, or its customer was deleted. An absence from the lists is no reason to
  // charge in the old account again.
  if (
    observeNew(successors, old) === 'none' &&
    (observeOld(old) === 'kept' || erased?.has(idOf(old.customer)) === true)
  )
    return {
      detail: `${old.id} is on hold, and the target does not show its successor${missed}`,
      fix:
        erased?.has(idOf(old.customer)) === true
          ? `the customer was deleted in the target, which ended the new subscription: crossbill cancel ${key}`
          : `look for it in the Dashboard of the target; if it is there, write ${markAsText(key)} into its metadata; if the member left, cancel the old one in the Dashboard of ${source}; otherwise resume its collection there and remove \`crossbill_hold\` from its metadata`,
    }
  return {
    detail: `${old.id} is on hold and has no successor${missed}`,
    fix: `${fixByApply}, and accounts for every period that was kept back`,
  }
}

/**
 * The target bills the customer for the same without a mark: the successor whose mark a person
 * removed, or a second purchase.
 */
function unmarkedSuccessor({ old, alive, key, source, declared }: Sides, ruleInput: RuleInput): ReturnType<Rule> {
  if (old === undefined || isOver(old) || alive.length > 0 || declared?.pays_twice !== undefined) return undefined
  const { live, copyMaps, unmarked } = ruleInput
  const account = live.sources.get(source)
  const customer = copyMaps.get(source)?.customers.get(idOf(old.customer)) ?? idOf(old.customer)
  const read = readSource(old, undefined, account?.prices, account?.coupons)
  const [first] = unmarkedSuccessors(read, unmarked.get(customer) ?? [], live.target)
  if (first === undefined) return undefined
  const both = mayCharge(old) && mayCharge(first) ? `; ${old.id} in ${source} charges as well` : ''
  return { detail: `${aboutUnmarked(first.id)}${both}`, fix: fixUnmarked(key, first.id) }
}

/**
 * Held in the old account without a subscription in the target that charges at the next renewal, or
 * settled there without a successor. A pause that the old account had itself was carried over and
 * does not count.
 */
function noPayer(sides: Sides, { now, inTarget }: RuleInput): ReturnType<Rule> {
  const { old, alive, declared } = sides
  if (old !== undefined && isLeftAlone(sides, inTarget))
    return {
      detail: `${old.id} was settled, and nothing in the target continues it`,
      fix: 'create the successor named in its cancellation comment again if the member still wants it, else exclude it with a reason',
    }
  if (old === undefined || !isHeld(old) || mayCharge(old) || alive.length === 0 || alive.some(mayCharge))
    return undefined
  const carried = readHold(old)?.before?.behavior
  if (declared?.override?.includes('paused_in_target') === true && alive.every(isPaused)) return undefined
  if (carried !== undefined && alive.every((one) => one.pause_collection?.behavior === carried)) return undefined
  const due = alive.map(nextCharge).find((at) => at !== undefined)
  const when = due === undefined ? '' : `, due ${formatInstant(instant(due))}${due < now ? ' (passed)' : ''}`
  return {
    detail: `${old.id} is on hold and ${alive[0]?.id} does not collect${when}`,
    fix:
      (alive[0]?.pause_collection ?? null) === null
        ? 'let the member enter a card in the target and resume the new subscription there, or set the stage back to `source` and apply'
        : 'resume collection of the new subscription in the Dashboard of the target; to set the stage back to `source` would carry the pause to the old one, and still nobody would be charged',
  }
}

function isPaused({ pause_collection: pause }: Stripe.Subscription): boolean {
  return (pause ?? null) !== null
}

/** Settled, and the successor named in its comment is missing or was undone. */
function isLeftAlone({ old, successors }: Sides, inTarget: RuleInput['inTarget']): boolean {
  if (old === undefined || !isOver(old) || !isSettled(old) || !successors.every(isUndone)) return false
  const successor = inTarget.get(settledAs(old) ?? '')
  return successor === undefined || isUndone(successor)
}

/** While both are live, their cycles run in parallel: the hold stops charges, not periods. */
function nextChargeDiffers({ old, alive, key, declared }: Sides, { drift, now }: RuleInput): ReturnType<Rule> {
  const [successor] = alive
  if (successor === undefined || alive.length > 1 || old === undefined || !isHeld(old)) return undefined
  const here = nextCharge(successor)
  // A date that a person moved in the old account is reported as `drift_on_held_source`.
  const there = nextCharge(asHeld(old, readHold(old), now))
  if (here === undefined || there === undefined || here === there || here === nextCharge(old)) return undefined
  const changed = drift.get(key)?.some(({ code }) => code === 'changed_in_target') ?? false
  const { trial_end: trial, billing_cycle_anchor: anchor } = successor
  const [trialMoved, anchorMoved] = [trial !== old.trial_end, anchor !== old.billing_cycle_anchor]
  // Another change explains the date, or a pull has written the moved date into the entry.
  if (changed && !trialMoved && !anchorMoved) return undefined
  if ((trialMoved && declared?.trial_end === trial) || (anchorMoved && declared?.anchor === anchor)) return undefined
  return {
    detail: `${successor.id} charges at ${formatInstant(instant(here))}, the old one would have at ${formatInstant(instant(there))}`,
    fix: changed
      ? 'if the date was moved on purpose, run `crossbill pull`; otherwise set it back in the target'
      : 'set the stage back to `source` and apply, then move again',
  }
}

/** Sent invoices are paid by hand in either account: they only delay settling. */
function openInvoice({ old, source, alive }: Sides, { live }: RuleInput): ReturnType<Rule> {
  if (old === undefined || alive.length === 0) return undefined
  const open = live.sources.get(source)?.invoices.get(old.id)?.filter(isCollected) ?? []
  if (open.length === 0) return undefined
  return {
    detail: `${open.map(({ id }) => id).join(', ')} of ${old.id} is still being collected in ${source}`,
    fix: 'wait until it is paid, or void or pay it in the old account',
  }
}
