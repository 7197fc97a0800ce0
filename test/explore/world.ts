import type { HandoverEvent, HandoverState, SendingPhase } from '../../src/handover/state.ts'
import type { InvoiceSight, NewSight, OldSight } from '../../src/handover/types.ts'

/**
 * One member in the smallest world in which a hand-over can go wrong: an old subscription, its successors, one renewal. Small enough to visit every
 * interleaving of requests, crashes, lost answers, outages, and people acting on either side.
 */
export interface World {
  /** 0: well before the renewal, 1: inside the guard window, 2: after it. */
  readonly time: 0 | 1 | 2
  readonly old: 'live' | 'settled' | 'cancelled'
  readonly hold: 'none' | 'draft' | 'void'
  readonly marked: boolean
  readonly changed: boolean
  /** What the old account made of the renewal. */
  readonly oldInvoice: 'none' | 'paid' | 'draft' | 'void'
  readonly successors: readonly Successor[]
  /** How often the member was charged for the renewal. */
  readonly charged: number
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
  old: 'live',
  hold: 'none',
  marked: false,
  changed: false,
  oldInvoice: 'none',
  successors: [],
  charged: 0,
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

/** Time goes on; crossing the renewal bills whoever collects. `declines`: the card is refused in the target. */
export function tick(world: World, declines: boolean): World {
  if (world.time === 0) return { ...world, time: 1 }
  const invoices = { none: 'paid', draft: 'draft', void: 'void' } as const
  const oldInvoice = world.old === 'live' ? invoices[world.hold] : 'none'
  const billed = livingSuccessors(world)
  return {
    ...world,
    time: 2,
    oldInvoice,
    successors: world.successors.map((one) =>
      one.status === 'live' ? { ...one, invoice: declines ? 'open' : 'paid' } : one,
    ),
    charged: world.charged + (oldInvoice === 'paid' ? 1 : 0) + (declines ? 0 : billed),
  }
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
      const held = done({ ...world, hold: 'draft', marked: true })
      return world.changed ? { ...held, event: { ...held.event, reason } } : held
    }
    case 'reholding':
      return live ? done({ ...world, hold: state.goal === 'move' ? 'draft' : 'void', marked: true }) : refused(world)
    case 'creating':
      return create(world, state.attempt)
    case 'keeping':
      return live ? done({ ...world, hold: 'void' }) : refused(world)
    case 'cancelling_new':
      return livingSuccessors(world) === 0 ? refused(world) : done(onLiving(world, { status: 'undone' }))
    case 'restoring_old':
      return live ? done({ ...world, hold: 'none', marked: false }) : refused(world)
    case 'cancelling_old':
      return live ? done({ ...world, old: 'settled' }) : refused(world)
    case 'voiding_invoice':
      return done(onLiving(world, { invoice: 'void' }))
    case 'advancing_draft':
      return world.oldInvoice === 'draft'
        ? done({ ...world, oldInvoice: 'paid', charged: world.charged + 1 })
        : refused(world)
    case 'billing_gap':
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

/** What a read of the newest invoice of the living successor shows. */
export function sightInvoice({ successors }: World): InvoiceSight {
  return successors.find(({ status }) => status === 'live')?.invoice ?? 'none'
}
