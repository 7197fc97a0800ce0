import type { HandoverEvent } from '../../src/handover/event-types.ts'
import type { HandoverState, SendingPhase } from '../../src/handover/state.ts'
import type { InvoiceObservation, NewObservation, OldObservation } from '../../src/live/observations.ts'

/**
 * One member in the smallest world in which a hand-over can fail: an old subscription, its
 * successors, one renewal. It is small enough for every interleaving of requests, crashes, lost
 * answers, outages, and acts of people on either side.
 */
export interface World {
  /**
   * 0: well before the next renewal, 1: inside the guard window, 2: after it, without another one
   * to come.
   */
  readonly time: 0 | 1 | 2
  /** Renewals to come after the next one. */
  readonly more: number
  readonly old: 'live' | 'settled' | 'cancelled'
  readonly hold: 'none' | 'draft' | 'void'
  readonly marked: boolean
  /** The member changed card or plan of the old subscription since the plan. */
  readonly changed: boolean
  /** The same by an old door, during the hold. */
  readonly drifted: boolean
  /** The member changed card or plan of the new subscription. */
  readonly changedNew: boolean
  /** The subscription with a member's change ended, and the member continues with the other one. */
  readonly lost: boolean
  /** A period passed without a charge and without an alarm. */
  readonly missed: boolean
  /** The old subscription carries the mark of renewals that are to be accounted for. */
  readonly due: boolean
  /** What the old account did with the last renewal. */
  readonly oldInvoice: 'none' | 'paid' | 'draft' | 'void'
  readonly successors: readonly Successor[]
  /** How often the member was charged for the last renewal. */
  readonly charged: number
  /** Renewals that have passed. */
  readonly renewed: number
  /** A person removed the hold or ended a subscription: the consequences are not Crossbill's. */
  readonly released: boolean
  readonly left: boolean
  /** How many holds the mark of the old subscription counts. */
  readonly holds: number
  /**
   * What Stripe remembers of idempotency keys: the sender of the first request under each key, and
   * the kind of a creation.
   */
  readonly keys: Readonly<Record<string, string>>
  /** Requests that were answered with a 5xx and are still in progress. */
  readonly pending: readonly Pending[]
}

export interface Pending {
  readonly state: HandoverState
  readonly phase: SendingPhase
  readonly sender: string
  /** Renewals that were still to come when the sender's plan was made. */
  readonly planned: number
}

export interface Successor {
  readonly status: 'live' | 'undone' | 'ended'
  readonly invoice: 'none' | 'paid' | 'open' | 'void'
  /** The hold during which it was created. */
  readonly generation: number
}

export const atFirst: World = {
  time: 0,
  more: 0,
  old: 'live',
  hold: 'none',
  marked: false,
  changed: false,
  drifted: false,
  changedNew: false,
  lost: false,
  missed: false,
  due: false,
  oldInvoice: 'none',
  successors: [],
  charged: 0,
  renewed: 0,
  released: false,
  left: false,
  holds: 0,
  keys: {},
  pending: [],
}

export function observeOld({ old, marked, hold }: World): OldObservation {
  if (old === 'settled') return 'settled'
  if (old === 'cancelled') return 'cancelled'
  if (!marked) return 'free'
  if (hold === 'none') return 'hold_removed'
  return hold === 'draft' ? 'held' : 'kept'
}

export function observeNew({ successors }: World): NewObservation {
  const living = successors.filter(({ status }) => status === 'live').length
  if (living > 1) return 'several'
  if (living === 1) return 'live'
  if (successors.length === 0) return 'none'
  return successors.every(({ status }) => status === 'undone') ? 'undone' : 'ended'
}

export const collects = ({ old, hold }: World): boolean => old === 'live' && hold === 'none'
export const livingSuccessors = ({ successors }: World): number =>
  successors.filter(({ status }) => status === 'live').length

/**
 * Time passes; at a renewal, every collecting account bills. `declines`: the card is declined in
 * the target. `told`: an alarm exists.
 */
export function tick(world: World, declines: boolean, told: boolean): World {
  if (world.time === 0) return { ...world, time: 1 }
  // The period before this one can no longer be charged.
  const missed = world.missed || (isUncharged(world) && !told)
  const invoices = { none: 'paid', draft: 'draft', void: 'void' } as const
  const oldInvoice = world.old === 'live' ? invoices[world.hold] : 'none'
  const billed = livingSuccessors(world)
  return {
    ...world,
    time: world.more > 0 ? 0 : 2,
    more: Math.max(0, world.more - 1),
    renewed: world.renewed + 1,
    missed,
    oldInvoice,
    successors: world.successors.map((one) =>
      // An ended subscription was paid for the period before.
      one.status === 'live' ? { ...one, invoice: declines ? 'open' : 'paid' } : { ...one, invoice: 'none' },
    ),
    charged: (oldInvoice === 'paid' ? 1 : 0) + (declines ? 0 : billed),
  }
}

/** No account charged the last renewal, and no invoice of it is being collected. */
export function isUncharged({ renewed, charged, successors, left, released }: World): boolean {
  return renewed > 0 && charged === 0 && !left && !released && !successors.some(({ invoice }) => invoice === 'open')
}

type Sent = Extract<HandoverEvent, { type: 'sent' }>
type Done = { readonly world: World; readonly event: Sent }

const reason = { code: 'why', message: 'because', fix: '' }
const done = (world: World, id: string | null = null): Done => ({
  world,
  event: { type: 'sent', result: 'done', id, reason: null },
})
const refused = (world: World): Done => ({ world, event: { type: 'sent', result: 'refused', id: null, reason } })
const contended = (world: World): Done => ({ world, event: { type: 'sent', result: 'contended', id: null, reason } })

/**
 * How Stripe would treat the product's keys; a mutation replaces one of them by a version without
 * the protection.
 */
export interface Keys {
  /** Both runs send the same parameters for a creation; otherwise the second is refused. */
  readonly alike: boolean
  readonly create: (state: HandoverState, sender: string) => string
  readonly hold: (state: HandoverState, sender: string) => string
  readonly release: (state: HandoverState, sender: string) => string
  /** The register of a settle and a revert. */
  readonly end: (state: HandoverState, sender: string) => string
}

export const productKeys: Keys = {
  alike: true,
  create: ({ generation }) => `create ${generation}`,
  hold: ({ generation }) => `hold ${generation}`,
  release: ({ generation, skips }) => `hold ${(generation ?? 0) + 1 + skips}`,
  end: ({ generation }) => `end ${generation}`,
}

const used = (world: World, key: string, by: string): World => ({ ...world, keys: { ...world.keys, [key]: by } })

/**
 * The effect of a request in Stripe. The sender is one store: its journal makes a repetition a new
 * request where that is harmless.
 */
export function carryOut(world: World, { state, phase, sender, planned }: Pending, keys: Keys = productKeys): Done {
  const live = world.old === 'live'
  const answer =
    phase === 'cancelling_old' && state.goal === 'settle' ? 'settle' : deciding(state, phase) ? 'revert' : null
  if (answer !== null) {
    const key = keys.end(state, sender)
    if ((world.keys[key] ?? answer) !== answer) return contended(world)
    return carriedOut(used(world, key, answer), { state, phase, sender, planned, keys, live })
  }
  return carriedOut(world, { state, phase, sender, planned, keys, live })
}

function deciding({ goal }: HandoverState, phase: SendingPhase): boolean {
  return phase === 'cancelling_new'
    ? goal === 'revert' || goal === 'undo'
    : goal === 'revert' && phase === 'stopping_invoice'
}

interface Carried extends Pending {
  readonly keys: Keys
  readonly live: boolean
}

function carriedOut(world: World, { state, phase, sender, planned, keys, live }: Carried): Done {
  switch (phase) {
    case 'holding': {
      const key = keys.hold(state, sender)
      const before = world.keys[key]
      if (isOther(before, `${sender} hold`, keys)) return contended(world)
      const known = used(world, key, before ?? `${sender} hold`)
      if (!live) return refused(known)
      const held: World =
        before === undefined
          ? { ...known, holds: state.generation ?? 0, hold: 'draft', marked: true, drifted: false }
          : known
      return world.changed ? { ...done(held), event: { ...done(held).event, reason } } : done(held)
    }
    case 'reholding':
      return live ? done({ ...world, hold: state.goal === 'move' ? 'draft' : 'void', marked: true }) : refused(world)
    case 'creating':
      return create(world, { state, phase, sender, planned, keys, live })
    case 'closing': {
      const key = keys.create(state, sender)
      const before = world.keys[key]
      return before !== undefined && before !== 'shut' ? contended(world) : done(used(world, key, 'shut'))
    }
    // It has the mark, so that a late one is visible.
    case 'keeping':
      return live ? done({ ...world, hold: 'void', marked: true }) : refused(world)
    case 'cancelling_new':
      if (livingSuccessors(world) === 0) return refused(world)
      return done({
        ...onLiving(world, { status: 'undone' }),
        changedNew: false,
        lost: world.lost || (world.changedNew && state.goal === 'revert'),
      })
    case 'restoring_old': {
      const key = keys.release(state, sender)
      const before = world.keys[key]
      if (isOther(before, `${sender} release`, keys)) return contended(world)
      const known = used(world, key, before ?? `${sender} release`)
      if (!live) return refused(known)
      if (before !== undefined) return done(known)
      const holds = (state.generation ?? 0) + 1 + state.skips
      return done({
        ...known,
        holds,
        hold: 'none',
        marked: false,
        due: true,
        changed: world.changed || world.drifted,
        drifted: false,
      })
    }
    case 'accounting':
      return live ? done({ ...world, due: false }) : refused(world)
    case 'cancelling_old':
      return live
        ? done({ ...world, old: 'settled', lost: world.lost || (world.drifted && livingSuccessors(world) > 0) })
        : refused(world)
    // It concerns a renewal before the last one, which is finished.
    case 'voiding_invoice':
      return state.invoice === lastInvoice(world) ? done(onLiving(world, { invoice: 'void' })) : done(world)
    case 'advancing_draft':
      if (state.invoice !== lastInvoice(world)) return done(world)
      return world.oldInvoice === 'draft'
        ? done({ ...world, oldInvoice: 'paid', charged: world.charged + 1 })
        : refused(world)
    case 'billing_gap':
      if (state.invoice !== lastInvoice(world)) return done(world)
      return world.oldInvoice === 'void'
        ? done({ ...world, oldInvoice: 'paid', charged: world.charged + 1 })
        : refused(world)
    case 'stopping_invoice':
    case 'finalizing_invoice':
    // This world has no lists of the customer, no schedules, no refunds and no other invoices.
    case 'carrying':
    case 'pausing':
    case 'scheduling':
    case 'releasing_new':
    case 'money':
    case 'money_back':
    case 'refunding':
    case 'releasing_schedule':
    case 'restoring_collection':
      return done(world)
  }
}

/** Whether a different request used the key; two runs within one second send the same request. */
function isOther(before: string | undefined, own: string, { alike }: Keys): boolean {
  if (before === undefined || before === own) return false
  return !alike || before === 'shut' || before.split(' ')[1] !== own.split(' ')[1]
}

/**
 * A request that changes nothing uses up the key of a hold or a release; an earlier request under
 * the key then has no effect.
 */
export function shutting(world: World, { state, phase, sender }: Pending, keys: Keys): World {
  const key = phase === 'holding' ? keys.hold(state, sender) : keys.release(state, sender)
  return world.keys[key] === undefined ? used(world, key, 'shut') : world
}

function create(world: World, { state, sender, planned, keys }: Carried): Done {
  const key = keys.create(state, sender)
  const before = world.keys[key]
  const [by, what] = before?.split(' ') ?? []
  if (before === 'shut' || (by !== undefined && by !== sender && !keys.alike)) return contended(world)
  if (what !== undefined) return what === 'made' ? done(world, 'new') : refused(world)
  // An anchor in the past is refused.
  if (world.time === 2 || world.more !== planned) return refused(used(world, key, `${sender} refused`))
  const made: Successor = { status: 'live', invoice: 'none', generation: state.generation ?? 0 }
  return done(used({ ...world, successors: [...world.successors, made] }, key, `${sender} made`), 'new')
}

export function onLiving(world: World, change: Partial<Successor>): World {
  return { ...world, successors: world.successors.map((one) => (one.status === 'live' ? { ...one, ...change } : one)) }
}

/** The invoice of the last renewal, in either account. */
export const lastInvoice = ({ renewed }: World): string => `in_${renewed}`

/** The result of reading the newest invoice of the live successor. */
export function observeInvoice({ successors }: World): InvoiceObservation {
  return successors.find(({ status }) => status === 'live')?.invoice ?? 'none'
}
