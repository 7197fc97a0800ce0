import type Stripe from 'stripe'
import { subscriberRules, type RuleInput, type ViolationCode } from '../../src/engine/check/violations.ts'
import { instant } from '../../src/core/instant.ts'
import { markDue, markFrom, markHold, markReverting, settledComment, undoneComment } from '../../src/live/marks.ts'
import type { Sides } from '../../src/engine/check/sides.ts'
import type { Successor, World } from './world.ts'

/** Rules of the standing check that need only the two subscriptions. */
const rules: readonly ViolationCode[] = [
  'double_payer',
  'duplicate_target',
  'hold_missing',
  'held_without_successor',
  'no_payer',
  'ended_in_target',
  'cancelled_in_source',
  'period_unaccounted',
]

/**
 * What the rules read besides: the subscriptions of the target. A field of the rules that is
 * missing here does not compile.
 */
const ruleInputOf = (subscriptions: readonly Stripe.Subscription[]): RuleInput => ({
  now: instant(0),
  drift: new Map(),
  blocked: new Map(),
  copyMaps: new Map(),
  copied: new Set(),
  unmarked: new Map(),
  inTarget: new Map(subscriptions.map((one) => [one.id, one])),
  catalog: {},
  live: { target: { subscriptions }, sources: new Map(), resources: new Map() } as unknown as RuleInput['live'],
})
const known = new Map<string, readonly string[]>()

/**
 * What `verify` reports for this world: its own rules, applied to objects as Stripe would show
 * them.
 */
export function toldByVerify(world: World): readonly string[] {
  const key = [
    world.old,
    world.hold,
    world.marked,
    world.due,
    ...world.successors.map(({ status, invoice }) => `${status} ${invoice === 'void'}`),
  ].join(' ')
  const before = known.get(key)
  if (before !== undefined) return before
  const successors = world.successors.map(shownSuccessor)
  const sides: Sides = {
    key: 'us/old',
    source: 'us',
    declared: undefined,
    old: shownOld(world),
    successors,
    alive: successors.filter(({ status }) => status === 'active'),
  }
  const told = rules.filter((code) => subscriberRules[code]?.(sides, ruleInputOf(successors)) !== undefined)
  known.set(key, told)
  return told
}

function shownOld({ old, hold, marked, due }: World): Stripe.Subscription {
  return shown(old === 'live', {
    id: 'old',
    pause_collection:
      hold === 'none' ? null : { behavior: hold === 'draft' ? 'keep_as_draft' : 'void', resumes_at: null },
    metadata: { ...(marked ? { [markHold]: '{"before":null}' } : {}), ...(due ? { [markDue]: '1 invoice' } : {}) },
    comment: old === 'settled' ? `${settledComment}new` : null,
  })
}

function shownSuccessor({ status, generation, invoice }: Successor): Stripe.Subscription {
  return shown(status === 'live', {
    id: `new_${generation}`,
    pause_collection: null,
    metadata: { [markFrom]: 'us/old' },
    latest_invoice: invoice === 'void' ? { status: 'void', metadata: { [markReverting]: 'us/old' } } : null,
    comment: status === 'undone' ? `${undoneComment}us/old` : null,
  })
}

/** Only the fields that the rules read. */
function shown(
  live: boolean,
  { comment, ...fields }: { readonly comment: string | null; readonly [field: string]: unknown },
): Stripe.Subscription {
  return {
    ...fields,
    status: live ? 'active' : 'canceled',
    cancellation_details: { comment, reason: live ? null : 'cancellation_requested' },
    customer: 'cus_1',
    start_date: 0,
    trial_end: null,
    cancel_at: null,
    cancel_at_period_end: false,
    default_payment_method: null,
    default_source: null,
    discounts: [],
    items: { data: [] },
  } as unknown as Stripe.Subscription
}
