import { command as commandOf, next as nextOf } from '../../src/handover/machine.ts'
import { standingOf, type NewObservation } from '../../src/live/observations.ts'
import type { Command, HandoverEvent, SuccessorSeen } from '../../src/handover/event-types.ts'
import { atSource, isRest, type HandoverState } from '../../src/handover/state.ts'
import {
  atFirst,
  carryOut,
  collects,
  isUncharged,
  lastInvoice,
  livingSuccessors,
  onLiving,
  productKeys,
  shutting,
  observeInvoice,
  observeNew,
  observeOld,
  tick,
  type Keys,
  type World,
} from './world.ts'
import { stayOf } from '../handover/machine-words.ts'
import { toldByVerify } from './standing-check.ts'

/**
 * The machine and the reads around it; a mutation replaces one of them by a version with a mistake.
 */
export interface Product {
  readonly next: typeof nextOf
  readonly command: typeof commandOf
  readonly observeNew: typeof observeNew
  /** Whether a subscription with the mark was paid for the period. */
  readonly isPaidInTarget: (world: World) => boolean
  readonly keys: Keys
  /** A key whose request may still be in progress is made unusable before another key is used. */
  readonly shuts: boolean
  /** A release leaves the mark of the periods that are still to be accounted for. */
  readonly leavesDue: boolean
}

export const product: Product = {
  next: nextOf,
  command: commandOf,
  observeNew,
  isPaidInTarget: ({ successors }) => successors.some(({ invoice }) => invoice === 'paid'),
  keys: productKeys,
  shuts: true,
  leavesDue: true,
}

/** What may still happen. Every number is bounded, so that the exploration ends. */
interface Budget {
  readonly kills: number
  readonly losses: number
  readonly outages: number
  readonly people: number
  readonly begins: number
  readonly forgets: number
  readonly renewals: number
  /** Runs of the program, each with its own store and without knowledge of the others. */
  readonly runners: number
  /** A request whose answer is lost may be committed later. */
  readonly late: boolean
  /** The YAML may ask for a settle before the first renewal. */
  readonly early: boolean
}

/** What the tests run; `deeper` takes minutes. */
export const budget: Budget = {
  kills: 1,
  losses: 1,
  outages: 1,
  people: 1,
  begins: 3,
  forgets: 1,
  renewals: 1,
  runners: 1,
  late: false,
  early: false,
}
/**
 * Two runs on two machines, in every interleaving; each may be stopped for any time at any step.
 */
export const together: Budget = {
  kills: 0,
  losses: 0,
  outages: 0,
  people: 0,
  begins: 3,
  forgets: 0,
  renewals: 1,
  runners: 2,
  late: true,
  early: true,
}
export const deeper: Budget = {
  kills: 2,
  losses: 1,
  outages: 1,
  people: 1,
  begins: 3,
  forgets: 1,
  renewals: 2,
  runners: 1,
  late: true,
  early: false,
}

/** One run of the program, with its own store. */
interface Runner {
  /** Its journal; after the loss of the store, a new journal begins. */
  readonly journal: string
  readonly state: HandoverState
  /**
   * Renewals that were still to come when the plan was made: the plan knows only the T of the next
   * one.
   */
  readonly planned: number
}

interface Node {
  readonly world: World
  readonly runners: readonly Runner[]
  readonly left: Budget
}

/** A node as one of its runners sees it. */
interface View extends Runner {
  readonly at: number
  readonly world: World
  readonly left: Budget
}

interface Found {
  readonly states: number
  readonly depth: number
  readonly violation: string | null
  /** The shortest story that leads to the node. */
  readonly trace: readonly string[]
}

/** Breadth first, so the first violation found has the shortest story. */
export function explore(made: Product, limits: Budget, statesMax = 2_000_000): Found {
  const more = limits.renewals - 1
  const runners = Array.from({ length: limits.runners }, (_, n) => ({
    journal: String(n),
    state: atSource,
    planned: more,
  }))
  const first: Node = { world: { ...atFirst, more }, runners, left: limits }
  const seen = new Map<string, { readonly from: string; readonly by: string } | null>([[keyOf(first), null]])
  let frontier: readonly Node[] = [first]
  for (let depth = 0; frontier.length > 0; depth++) {
    const following: Node[] = []
    for (const node of frontier) {
      const from = keyOf(node)
      for (const { by, node: after } of steps(made, node)) {
        const key = keyOf(after)
        if (seen.has(key)) continue
        seen.set(key, { from, by })
        const violation = violationOf(made, after)
        if (violation !== null) return { states: seen.size, depth, violation, trace: traceOf(seen, key) }
        if (seen.size > statesMax) throw new Error(`more than ${statesMax} states`)
        following.push(after)
      }
    }
    if (following.length === 0) return { states: seen.size, depth, violation: null, trace: [] }
    frontier = following
  }
  return { states: seen.size, depth: 0, violation: null, trace: [] }
}

function keyOf({ world, runners, left }: Node): string {
  const known = runners.map(({ journal, state, planned }) => [journal, ...valuesOf(state), planned])
  const pending = world.pending.map(({ state, ...one }) => ({ ...one, state: valuesOf(state) }))
  return JSON.stringify([{ ...world, pending }, known, Object.values(left)])
}

/** The budget here bounds the passes; kept in the state, they would only multiply the states. */
function valuesOf({ lists: _lists, rounds: _rounds, reason, ...state }: HandoverState): readonly unknown[] {
  return [...Object.values(state), reason?.code ?? null]
}

function traceOf(seen: ReadonlyMap<string, { from: string; by: string } | null>, last: string): readonly string[] {
  const trace: string[] = []
  for (let at = seen.get(last); at !== null && at !== undefined; at = seen.get(at.from)) trace.unshift(at.by)
  return trace
}

interface Step {
  readonly by: string
  readonly node: Node
}

function steps(made: Product, node: Node): readonly Step[] {
  const { world, runners, left } = node
  const theirs = runners.flatMap((runner, at) => {
    const view: View = { ...runner, at, world, left }
    const own = isRest(runner.state.phase) ? begins(made, view) : engine(made, view)
    const name = runners.length === 1 ? '' : `${at === 0 ? 'A' : 'B'} `
    return [...own, ...forgetting(view)].map(({ by, world: after, state, planned, journal, left: spent }) => ({
      by: `${name}${by}`,
      node: {
        world: after,
        runners: runners.map((one, n) => (n === at ? { journal, state, planned } : one)),
        left: spent,
      },
    }))
  })
  return [...people(node), ...arriving(made, node), ...theirs]
}

/** A request that was answered with a 5xx is committed later. */
function arriving(made: Product, node: Node): readonly Step[] {
  return node.world.pending.map((late, n) => {
    const world = { ...node.world, pending: node.world.pending.filter((_, at) => at !== n) }
    return { by: `${late.phase}: committed late`, node: { ...node, world: carryOut(world, late, made.keys).world } }
  })
}

/** The renewal comes nearer and passes; members and operators act in the dashboards and portals. */
function people(node: Node): readonly Step[] {
  const { world, runners, left } = node
  const to = (by: string, changed: Partial<World>, spent: Partial<Budget> = {}): Step => ({
    by,
    node: { ...node, world: { ...world, ...changed }, left: { ...left, ...spent } },
  })
  const acts = { people: left.people - 1 }
  const states = runners.map(({ state }) => state)
  // The store knows of an incomplete hand-over.
  const told = isToldOf(world, states) || states.some(({ phase }) => !isRest(phase))
  // No observation happens between a read and the request that follows at once.
  const looksAgain = states.every(
    ({ phase, invoice }) => phase !== 'cancelling_new' && phase !== 'cancelling_old' && invoice === null,
  )
  const isVoided = world.successors.some(({ status, invoice }) => status === 'live' && invoice === 'void')
  // No request is in progress for as long as it takes until a renewal.
  const passes = world.pending.length === 0
  return [
    ...(world.time < 2 && passes ? [to('time goes on', tick(world, false, told))] : []),
    ...(world.time === 1 && passes && livingSuccessors(world) > 0
      ? [to('renewal, the card is declined in the target', tick(world, true, told))]
      : []),
    ...(left.people > 0 && world.old === 'live'
      ? [to('the member cancels the old one', { old: 'cancelled', left: true }, acts)]
      : []),
    ...(left.people > 0 && livingSuccessors(world) > 0
      ? [to('the member cancels the new one', { ...onLiving(world, { status: 'ended' }), left: true }, acts)]
      : []),
    ...(left.people > 0 && world.marked && world.hold !== 'none'
      ? [to('somebody takes the hold off', { hold: 'none', released: true }, acts)]
      : []),
    ...(left.people > 0 && world.old === 'live' && !world.marked && !world.changed
      ? [to('the member changes card or plan of the old one', { changed: true }, acts)]
      : []),
    ...(left.people > 0 && world.old === 'live' && world.marked && !world.drifted && looksAgain
      ? [to('the member changes card or plan of the old one by an old door', { drifted: true }, acts)]
      : []),
    ...(left.people > 0 && livingSuccessors(world) > 0 && !world.changedNew && looksAgain && !isVoided
      ? [to('the member changes card or plan of the new one', { changedNew: true }, acts)]
      : []),
  ]
}

/** What one runner did: the world and the runner afterwards. */
type Moved = Runner & { readonly by: string; readonly world: World; readonly left: Budget }

/** The state of a hand-over is lost; only the live objects are known. */
function forgetting({ world, state, planned, left, journal }: View): readonly Moved[] {
  if (left.forgets === 0 || state === atSource) return []
  const spent = { ...left, forgets: left.forgets - 1 }
  const anew = `${journal}'`
  return [{ by: 'the state is lost', world, state: atSource, planned, left: spent, journal: anew }]
}

/**
 * A run of the program: it resumes what waits, or begins what a plan from the live objects says.
 */
function begins(made: Product, { world, state, planned, left, journal }: View): readonly Moved[] {
  if (left.begins === 0) return []
  const spent = { ...left, begins: left.begins - 1 }
  const by = (name: string, event: HandoverEvent): Moved => ({
    by: name,
    journal,
    world,
    state: made.next(state, event),
    // A resumed hand-over continues with its own plan; a new plan knows the next renewal.
    planned: event.type === 'begin' ? world.more : planned,
    left: spent,
  })
  if (state.phase === 'doubtful') return [by('run again', { type: 'interrupted' })]
  const lists = { carry: 0, money: 0, pause: false, schedule: false }
  const begin = (goal: 'move' | 'undo' | 'settle' | 'revert', known = true): HandoverEvent => ({
    type: 'begin',
    goal,
    lists,
    successor: known && livingSuccessors(world) > 0 ? 'new' : null,
  })
  const old = observeOld(world)
  const successor = made.observeNew(world)
  if (old === 'unreadable' || successor === 'unreadable') return []
  switch (world.due && old === 'free' ? 'unfinished' : standingOf(old, successor)) {
    case 'source':
      return world.time === 0 ? [by('move', { ...begin('move'), successor: null } as HandoverEvent)] : []
    case 'unfinished':
      return successor === 'several' ? [] : [by('recover', begin(successor === 'live' ? 'move' : 'undo'))]
    case 'target':
      return [
        ...(world.time === 1 || world.changedNew ? [] : [by('revert', begin('revert'))]),
        ...((world.charged > 0 || left.early) && !world.drifted ? [by('settle', begin('settle'))] : []),
      ]
    case 'ended_in_target':
      return [by('settle', begin('settle'))]
    case 'settled':
    case 'cancelled_in_source':
    case 'ended':
      return []
  }
}

/** The renewal that the plan knows is near or has passed. */
const isLate = ({ world, planned }: Pick<View, 'world' | 'planned'>): boolean =>
  world.time > 0 || world.more !== planned

/**
 * One command of the machine: executed, killed before or after it, with a lost answer, or with a
 * failed read.
 */
function engine(made: Product, view: View): readonly Moved[] {
  const { world, state, planned, left, journal } = view
  const wanted = made.command(state)
  const to = (by: string, after: { world?: World; event: HandoverEvent }, spent: Partial<Budget> = {}): Moved => ({
    by: `${state.phase}: ${by}`,
    journal,
    world: after.world ?? world,
    state: made.next(state, after.event),
    planned,
    left: { ...left, ...spent },
  })
  const killed = { kills: left.kills - 1 }
  const interrupted: HandoverEvent = { type: 'interrupted' }
  const out: Moved[] = []
  if (left.kills > 0) out.push(to('killed before', { event: interrupted }, killed))
  if (wanted.do === 'send') {
    const late = isLate(view) && (wanted.state.phase === 'holding' || wanted.state.phase === 'creating')
    const tooLate = to('too late', {
      event: { type: 'sent', result: 'too_late', id: null, reason: { code: 'renews_soon', message: '', fix: '' } },
    })
    if (late) out.push(tooLate)
    // A single runner is never stopped between its look at the clock and the request; two runners
    // may be.
    if (late && left.runners === 1) return out
    const request = { state, phase: wanted.state.phase, sender: journal, planned }
    const free = made.shuts ? withoutEarlier(world, request) : world
    const whole = carryOut(free, request, made.keys)
    const carried = made.leavesDue ? whole : { ...whole, world: { ...whole.world, due: false } }
    out.push(to(carried.event.result, carried))
    if (left.kills > 0) out.push(to('done, then killed', { world: carried.world, event: interrupted }, killed))
    if (left.losses === 0) return out
    const lost = { losses: left.losses - 1 }
    const numbered = wanted.state.phase === 'holding' || wanted.state.phase === 'restoring_old'
    const unknown: HandoverEvent = { type: 'sent', result: 'unknown', id: null, reason: null }
    const afterLoss = (by: string, after: World): void => {
      out.push(to(by, { world: after, event: unknown }, lost))
      if (numbered && made.shuts)
        out.push(
          to(
            `${by}, key shut`,
            { world: shutting(after, request, made.keys), event: { ...unknown, spent: true } },
            lost,
          ),
        )
    }
    afterLoss('done, answer lost', carried.world)
    afterLoss('not done, answer lost', free)
    if (left.late) afterLoss('answered 504, still under way', { ...free, pending: [...free.pending, request] })
    return out
  }
  out.push(to('read', { event: reading(made, view, wanted) }))
  if (left.outages > 0 && wanted.do !== 'preview')
    out.push(to('cannot be read', { event: unreadable(wanted) }, { outages: left.outages - 1 }))
  return out
}

/**
 * A request that keeps its key (a creation, a hold, a release) may be in progress for a while. For
 * all other requests, the key is made unusable before another key is used, so that the earlier
 * request is refused when it arrives.
 */
function withoutEarlier(world: World, { phase, sender, state }: World['pending'][number]): World {
  if (['creating', 'closing', 'holding', 'restoring_old'].includes(phase)) return world
  const isEarlier = (one: World['pending'][number]): boolean =>
    one.phase === phase && one.sender === sender && one.state.generation === state.generation
  return { ...world, pending: world.pending.filter((one) => !isEarlier(one)) }
}

function reading(made: Product, node: View, wanted: Command): HandoverEvent {
  const { world, state } = node
  const why = { code: 'changed_since_pull', message: '', fix: '' }
  switch (wanted.do) {
    case 'read_old':
      return {
        type: 'old_read',
        observation: observeOld(world),
        reason: isLate(node) || world.changed || world.due ? why : null,
        generation: world.holds + (observeOld(world) === 'free' ? 1 : 0),
      }
    case 'preview':
      return { type: 'previewed', reason: null }
    case 'prove': {
      const same =
        world.marked &&
        world.hold !== 'none' &&
        livingSuccessors(world) === 1 &&
        !world.changed &&
        !world.drifted &&
        !world.changedNew
      return { type: 'proved', result: same ? 'ok' : 'differs', reason: null, invoice: null }
    }
    case 'read_invoice': {
      const observation = observeInvoice(world)
      const stay = stayOf(observation)
      const read = { type: 'invoice_read', payment: null, stay, changed: world.changedNew } as const
      return observation === 'none'
        ? { ...read, observation, invoice: null }
        : { ...read, observation, invoice: lastInvoice(world) }
    }
    case 'read_gap': {
      const paid = made.isPaidInTarget(world)
      const gap =
        paid || world.renewed === 0
          ? 'none'
          : world.oldInvoice === 'draft'
            ? 'draft'
            : world.oldInvoice === 'void'
              ? 'uncharged'
              : 'none'
      const invoice = lastInvoice(world)
      if (gap === 'none') return { type: 'gap_read', gap, left: [], marked: world.due }
      const period = { invoice, at: 0, amount: 1, currency: 'usd', itemsOnly: false }
      return gap === 'draft'
        ? { type: 'gap_read', gap, invoice, period }
        : { type: 'gap_read', gap, invoice, period, requests: 1, done: 0 }
    }
    case 'read_both':
    case 'rest':
    case 'collect':
    case 'send':
      return {
        type: 'both_read',
        old: observeOld(world),
        ...seenIn(made.observeNew(world), livingSuccessors(world) > 0 ? 'new' : state.successor),
        time: isLate(node) ? 'too_late' : 'before',
        schedule: null,
        newSchedule: null,
        stopped: [],
        erased: false,
        unmarked: null,
        drifted: world.drifted,
        stale: world.drifted ? { code: 'changed_since_pull', message: '', fix: '' } : null,
        proven: false,
        lost: null,
        methodless: null,
        generation: world.holds,
        made: world.successors.some(({ generation }) => generation === world.holds),
        quiet: world.pending.length === 0,
      }
  }
}

function seenIn(observation: NewObservation, successor: string | null): SuccessorSeen {
  return observation === 'live' || observation === 'ended'
    ? { new: observation, successor: successor ?? 'new' }
    : { new: observation, successor }
}

function unreadable(wanted: Command): HandoverEvent {
  switch (wanted.do) {
    case 'read_old':
      return { type: 'old_read', observation: 'unreadable', reason: null, generation: null }
    case 'prove':
      return { type: 'proved', result: 'unsure', reason: null, invoice: null }
    case 'read_invoice':
      return {
        type: 'invoice_read',
        observation: 'unreadable',
        invoice: null,
        payment: null,
        stay: null,
        changed: false,
      }
    case 'read_gap':
      return { type: 'gap_read', gap: 'unreadable' }
    case 'preview':
      return { type: 'previewed', reason: { code: 'preview_failed', message: '', fix: '' } }
    case 'read_both':
    case 'rest':
    case 'collect':
    case 'send':
      return {
        type: 'both_read',
        old: 'held',
        new: 'unreadable',
        successor: null,
        time: 'before',
        schedule: null,
        newSchedule: null,
        stopped: [],
        erased: false,
        unmarked: null,
        drifted: false,
        stale: null,
        proven: false,
        lost: null,
        methodless: null,
        generation: null,
        made: false,
        quiet: false,
      }
  }
}

/** Violations that no reachable state may have. */
function violationOf(made: Product, { world, runners, left }: Node): string | null {
  const states = runners.map(({ state }) => state)
  const payers = (collects(world) ? 1 : 0) + livingSuccessors(world)
  if (payers > 1 && !world.released) return 'two payers at one instant'
  if (world.charged > 1 && !world.released) return 'charged twice for one period'
  if (livingSuccessors(world) > 1) return 'two successors live'
  const ended = world.successors.some(({ status }) => status === 'ended')
  if (ended && world.left && collects(world) && !world.released && world.old === 'live')
    return 'a member who left the target is billed by the source again'
  if (world.lost) return 'a change of the member went with the subscription that had it'
  if (world.missed) return 'a period passed uncharged, and no alarm reports it'
  if (payers === 0 && !world.left && !world.released && !isToldOf(world, states))
    return 'a live member has no payer, and no alarm reports it'
  if (states.some(({ phase, alarm }) => !isRest(phase) || alarm !== null) || world.pending.length > 0) return null
  const [only] = states
  return states.length === 1 && only !== undefined
    ? atRest(made, { world, state: only, left })
    : allAtRest(made, world, states)
}

/**
 * When two runs rest, each knows what it did; the world and its standing check show that no member
 * was forgotten.
 */
function allAtRest(made: Product, world: World, states: readonly HandoverState[]): string | null {
  if (world.left || world.released || states.every((state) => state === atSource)) return null
  const standing = standingOf(observeOld(world) as 'free', made.observeNew(world) as 'none')
  if (standing === 'ended') return 'the member lost both subscriptions'
  if (toldByVerify(world).length > 0) return null
  if (standing === 'unfinished') return 'half-way, and the standing check is silent'
  return isUncharged(world) && !states.some(({ reason }) => reason !== null)
    ? 'neither account charged the period, and no alarm reports it'
    : null
}

/**
 * At rest without an alarm: a member who did not leave has one payer and is charged for the period,
 * and the state names the right account.
 */
function atRest(
  made: Product,
  { world, state, left }: { readonly world: World; readonly state: HandoverState; readonly left: Budget },
): string | null {
  const { phase } = state
  const resumable = left.begins > 0
  if (phase === 'source' && state !== atSource && livingSuccessors(world) > 0 && !resumable)
    return 'at the source, though a successor lives'
  if (phase === 'moved' && !world.left && !world.released && (livingSuccessors(world) !== 1 || collects(world)))
    return 'moved, but not billed by the target alone'
  if (phase === 'settled' && world.old === 'live') return 'settled, but the old one lives'
  if (world.left || world.released) return null
  if (isUncharged(world) && toldByVerify(world).length === 0)
    return 'neither account charged the period, and no object shows it'
  if (state === atSource) return null
  const standing = standingOf(observeOld(world) as 'free', made.observeNew(world) as 'none')
  if (standing === 'unfinished') return `at rest (${phase}) half-way, and no alarm reports it`
  return isUncharged(world) ? 'neither account charged the period, and no alarm reports it' : null
}

/**
 * An alarm exists: from the run, or from the standing check, which reads the live objects and knows
 * nothing of the run.
 */
function isToldOf(world: World, states: readonly HandoverState[]): boolean {
  return states.some(({ alarm }) => alarm !== null) || toldByVerify(world).length > 0
}
