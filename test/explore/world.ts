import type { HandoverEvent, HandoverState, SendingPhase } from '../../src/handover/state.ts'
import type { InvoiceSight, NewSight, OldSight } from '../../src/live/sights.ts'

/**
 * One member in the smallest world in which a hand-over can go wrong: an old subscription, its successors, one renewal. Small enough to visit every
 * interleaving of requests, crashes, lost answers, outages, and people acting on either side.
 */
export interface World {
  /** 0: well before the next renewal, 1: inside the guard window, 2: after it, with none to come. */
  readonly time: 0 | 1 | 2
  /** Renewals to come after the next one. */
  readonly more: number
  readonly old: 'live' | 'settled' | 'cancelled'
  readonly hold: 'none' | 'draft' | 'void'
  readonly marked: boolean
  /** The member changed card or plan of the old one since the plan. */
  readonly changed: boolean
  /** The same by an old door, while it was on hold. */
  readonly drifted: boolean
  /** The member changed card or plan of the new one. */
  readonly changedNew: boolean
  /** A member's change went with the subscription that had it, and they go on with the other. */
  readonly lost: boolean
  /** A period passed that nobody charged, and nobody had been told. */
  readonly missed: boolean
  /** The store was lost between the release of the old one and the look at what nobody charged: then no object says it any more. */
  readonly forgot: boolean
  /** What the old account made of the last renewal. */
  readonly oldInvoice: 'none' | 'paid' | 'draft' | 'void'
  readonly successors: readonly Successor[]
  /** How often the member was charged for the last renewal. */
  readonly charged: number
  /** Renewals that have passed. */
  readonly renewed: number
  /** A person took our hold off, or ended something: what follows from that is not our doing. */
  readonly released: boolean
  readonly left: boolean
}

export interface Successor {
  readonly status: 'live' | 'undone' | 'ended'
  readonly invoice: 'none' | 'paid' | 'open' | 'void'
  /** Creations of one attempt are one creation: the idempotency key says so. */
  readonly attempt: number
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
  forgot: false,
  oldInvoice: 'none',
  successors: [],
  charged: 0,
  renewed: 0,
  released: false,
  left: false,
}

export function sightOld({ old, marked, hold }: World): OldSight {
  if (old === 'settled') return 'settled'
  if (old === 'cancelled') return 'cancelled'
  if (!marked) return 'free'
  if (hold === 'none') return 'hold_removed'
  return hold === 'draft' ? 'held' : 'kept'
}

export function sightNew({ successors }: World): NewSight {
  const living = successors.filter(({ status }) => status === 'live').length
  if (living > 1) return 'several'
  if (living === 1) return 'live'
  if (successors.length === 0) return 'none'
  return successors.every(({ status }) => status === 'undone') ? 'undone' : 'ended'
}

export const collects = ({ old, hold }: World): boolean => old === 'live' && hold === 'none'
export const livingSuccessors = ({ successors }: World): number =>
  successors.filter(({ status }) => status === 'live').length

/** Time goes on; crossing a renewal bills whoever collects. `declines`: the card is refused in the target. `told`: somebody knows of what is wrong. */
export function tick(world: World, declines: boolean, told: boolean): World {
  if (world.time === 0) return { ...world, time: 1 }
  // Of the renewal before this one the last word is spoken.
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
    forgot: false,
    oldInvoice,
    successors: world.successors.map((one) =>
      // What an ended one was paid for was the period before.
      one.status === 'live' ? { ...one, invoice: declines ? 'open' : 'paid' } : { ...one, invoice: 'none' },
    ),
    charged: (oldInvoice === 'paid' ? 1 : 0) + (declines ? 0 : billed),
  }
}

/** The last renewal was charged by nobody, and no invoice of it is being collected. */
export function isUncharged({ renewed, charged, successors, left, released, forgot }: World): boolean {
  return (
    renewed > 0 &&
    !forgot &&
    charged === 0 &&
    !left &&
    !released &&
    !successors.some(({ invoice }) => invoice === 'open')
  )
}

type Sent = Extract<HandoverEvent, { type: 'sent' }>
type Done = { readonly world: World; readonly event: Sent }

const reason = { code: 'why', message: 'because', fix: '' }
const done = (world: World, id: string | null = null): Done => ({
  world,
  event: { type: 'sent', result: 'done', id, reason: null },
})
const refused = (world: World): Done => ({ world, event: { type: 'sent', result: 'refused', id: null, reason } })

/** A request carried out: what Stripe would do with it. */
export function carryOut(world: World, state: HandoverState, phase: SendingPhase): Done {
  const live = world.old === 'live'
  switch (phase) {
    case 'holding': {
      if (!live) return refused(world)
      const held = done({ ...world, hold: 'draft', marked: true, drifted: false })
      return world.changed ? { ...held, event: { ...held.event, reason } } : held
    }
    case 'reholding':
      return live ? done({ ...world, hold: state.goal === 'move' ? 'draft' : 'void', marked: true }) : refused(world)
    case 'creating':
      return create(world, state.attempt)
    case 'keeping':
      return live ? done({ ...world, hold: 'void' }) : refused(world)
    case 'cancelling_new':
      if (livingSuccessors(world) === 0) return refused(world)
      return done({
        ...onLiving(world, { status: 'undone' }),
        changedNew: false,
        lost: world.lost || (world.changedNew && state.goal === 'revert'),
      })
    case 'restoring_old':
      return live
        ? done({ ...world, hold: 'none', marked: false, changed: world.changed || world.drifted, drifted: false })
        : refused(world)
    case 'cancelling_old':
      return live
        ? done({ ...world, old: 'settled', lost: world.lost || (world.drifted && livingSuccessors(world) > 0) })
        : refused(world)
    // Of an earlier renewal than the last one: what it was about is over.
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
    // This world has no lists of the customer's, no schedules, no refunds and no other invoices.
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

function create(world: World, attempt: number): Done {
  const replayed = world.successors.findIndex((one) => one.attempt === attempt)
  if (replayed >= 0) return done(world, `new_${replayed}`)
  const successors: readonly Successor[] = [...world.successors, { status: 'live', invoice: 'none', attempt }]
  return done({ ...world, successors }, `new_${successors.length - 1}`)
}

export function onLiving(world: World, change: Partial<Successor>): World {
  return { ...world, successors: world.successors.map((one) => (one.status === 'live' ? { ...one, ...change } : one)) }
}

/** Either side's invoice of the last renewal. */
export const lastInvoice = ({ renewed }: World): string => `in_${renewed}`

/** What a read of the newest invoice of the living successor shows. */
export function sightInvoice({ successors }: World): InvoiceSight {
  return successors.find(({ status }) => status === 'live')?.invoice ?? 'none'
}
