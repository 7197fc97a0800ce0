import { addAll, greatest } from '../../core/lists.ts'
import { inStage } from '../../catalog/subscribers.ts'
import type { Catalog, DesiredSubscriber, Stage } from '../../catalog/types.ts'
import { present } from '../../core/assert.ts'
import { digest } from '../../core/canonical.ts'
import { instant, parseInstant, type Instant } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { deferredCodes } from '../../handover/codes.ts'
import { quietSeconds } from '../../handover/events.ts'
import { guardNames } from '../../catalog/guards.ts'
import type { Plan } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import { apply } from '../apply/apply.ts'
import type { Context } from '../context.ts'
import { importCopyMap } from '../copy-map.ts'
import { isUnfinished } from '../handover/hand-over.ts'
import { applyLease } from '../lease.ts'
import { makePlan } from '../plan/make-plan.ts'
import { Killed, mortal } from './mortal.ts'
import { recover } from '../apply/recover.ts'
import { stateRebuild } from '../rebuild.ts'
import { Answering } from './answering.ts'
import { chance } from './chance.ts'
import { Members, type MembersOptions } from './members.ts'
import type { RehearsalReport } from './report.ts'
import { rehearsalService } from './service.ts'
import { MoveDeclines } from './move-declines.ts'
import { Usage } from './usage.ts'
import { settleAfterWeeks, settleWeek, weekSeconds, weeksOfWaves, type Standing } from './wave-order.ts'
import type { RehearsalWorld } from './world.ts'

export interface Migration {
  readonly waves: readonly {
    readonly name: string
    readonly people: number
    readonly movedAt: Instant
    readonly settledAt?: Instant
  }[]
  readonly kills: number
  readonly storesLost: number
  readonly members: RehearsalReport['members']
  /** Members who left on their own: when and how. */
  readonly left: Members['left']
  /** Members who were asked for a card and entered one; undefined when none was asked. */
  readonly answering?: RehearsalReport['answering']
  /** Cards that the bank refuses because of the move. */
  readonly moveDeclines: MoveDeclines
  /** Subscribers whose hand-over did not finish. */
  readonly failed: readonly Failed[]
  /** The last plan: which subscribers were not moved, and why. */
  readonly last: Plan
}

interface Failed extends Omit<AppliedChange, 'action'> {
  readonly at: Instant
}

export interface Schedule {
  readonly began: Instant
  readonly ended: Instant
  /** Who has moved already when the rehearsal begins. */
  readonly standing: Standing
  readonly seed: number
  readonly faults: boolean
  readonly answering?: number
  readonly declines: number
  readonly moveDeclines: number
}

/** Blocked subscribers are planned again this often: dunning ends, drafts are finalized. */
const lookAgainWeeks = 4
/** The chance of a kill at one boundary, with faults; it falls after this many boundaries. */
const killChance = 0.02
const boundariesAtFullChance = 1_000
/** One kill in ten also loses the store. */
const storeLossChance = 0.1
const livesMax = 200
/** Repetitions of a run in one week, for subscribers whom faults left on hold. */
const repeatsMax = 4
const secondsPerMinute = 60

/** The same people in two worlds: in `stay`, the control run, no subscriber migrates. */
export interface Worlds {
  readonly stay: RehearsalWorld
  readonly move: RehearsalWorld
}

/** Imports the copy map, moves wave after wave, settles, and lets the weeks pass until the end. */
export async function migrate(context: Context, worlds: Worlds, schedule: Schedule): Promise<Migration> {
  const { stay, move } = worlds
  const { subscribers } = context.catalog
  const copied = await copyAll(move)
  const played = weeksOfWaves(subscribers, schedule.standing, schedule.began)
  const weekOf = new Map(played.map(({ name, start }) => [name, start]))
  const fate = new Fate(schedule)
  const service = rehearsalService(move, { seconds: schedule.ended, dies: fate.dies })
  const members = new Members({ ...worlds, service, copied, seed: schedule.seed, declines: schedule.declines })
  const attempts = new Attempts(schedule)
  const usage = new Usage(worlds, schedule.seed)
  const { answering: share, seed } = schedule
  const answering = share === undefined ? undefined : new Answering(move, { share, seed })
  const moveDeclines = new MoveDeclines(move, { share: schedule.moveDeclines, seed })
  const lives: Lives = { world: move, fate, copied, weekOf, attempts }
  let last: LastPlan | undefined
  for (let week = 0; schedule.began + week * weekSeconds < schedule.ended; week++) {
    const now = instant(schedule.began + week * weekSeconds)
    await Promise.all([stay.advance(now), move.advance(now)])
    context.progress.step()
    const weeks = Math.ceil((schedule.ended - schedule.began) / weekSeconds)
    await usage.record(week, now)
    await members.live(week, { weeks, acts: schedule.faults, answered: answering?.answered })
    if (!isDue(week, now, [...weekOf.values()], last)) continue
    await answering?.ask()
    last = { plan: await applyAll(lives, week), at: now }
    await moveDeclines.refuse()
    // A creation without an outcome stays on hold until it can no longer be committed. The run says
    // so, and is repeated then, as a person or the service would do.
    for (let again = 1; again <= repeatsMax && (await leftUnfinished(move)); again++) {
      const later = instant(now + again * (quietSeconds + secondsPerMinute))
      await Promise.all([stay.advance(later), move.advance(later)])
      last = { plan: await applyAll(lives, week), at: later }
    }
  }
  await Promise.all([stay.advance(schedule.ended), move.advance(schedule.ended)])
  const waves = played.map(({ name, people, start }) => {
    const settled = schedule.began + settleWeek(start) * weekSeconds
    return {
      name,
      people,
      movedAt: instant(schedule.began + start * weekSeconds),
      ...(settled < schedule.ended ? { settledAt: instant(settled) } : {}),
    }
  })
  return {
    waves,
    kills: fate.kills + service.kills(),
    storesLost: fate.storesLost,
    members: [...members.counts].map(([act, count]) => ({ act, count })),
    left: members.left,
    ...(answering === undefined || share === undefined
      ? {}
      : { answering: { share, asked: answering.asked.size, entered: answering.answered.size } }),
    moveDeclines,
    failed: attempts.failed(),
    last: present(last, 'the plan of the first week').plan,
  }
}

async function leftUnfinished({ context }: RehearsalWorld): Promise<boolean> {
  return (await context.store.subscribers()).some(isUnfinished)
}

type Copied = MembersOptions['copied']

async function copyAll(world: RehearsalWorld): Promise<Copied> {
  const copied: Copied[number][] = []
  for (const source of world.accounts.sources.keys()) addAll(copied, await world.copy(source))
  await importCopies(world, copied)
  return copied
}

async function importCopies({ context }: RehearsalWorld, copied: Copied): Promise<void> {
  for (const [source, rows] of Map.groupBy(copied, (row) => row.source)) await importCopyMap(context, source, rows)
}

/**
 * Whether an engineer would plan and apply this week: when a wave begins or may be settled, when a
 * wait ends during a wave, and every four weeks for blocked subscribers.
 */
function isDue(week: number, now: Instant, starts: readonly number[], last: LastPlan | undefined): boolean {
  if (last === undefined || week % lookAgainWeeks === 0) return true
  if (starts.some((start) => start === week || settleWeek(start) === week)) return true
  if (week > greatest(starts) + settleAfterWeeks + lookAgainWeeks) return false
  // A wait that was already over at the last plan and still lasts does not cause a plan every week.
  return last.plan.deferred.some(({ until }) => {
    const over = parseInstant(until)
    return over === undefined || (over > last.at && over <= now)
  })
}

interface LastPlan {
  readonly plan: Plan
  readonly at: Instant
}

/** The catalog as its author would have edited it by that week: only stages differ. */
async function staged(world: RehearsalWorld, weeksSince: (file: string) => number): Promise<Catalog> {
  const { catalog } = world.context
  const moved = new Set(
    (await world.context.store.subscribers())
      .filter(({ phase }) => phase === 'moved' || phase === 'settled')
      .map(({ key }) => key),
  )
  const stageOf = ({ file, key }: DesiredSubscriber): Stage => {
    const weeks = weeksSince(file)
    if (weeks < 0) return 'source'
    return weeks >= settleAfterWeeks && moved.has(key) ? 'settled' : 'target'
  }
  const subscribers = catalog.subscribers.map((one) => inStage(one, stageOf(one)))
  return { ...catalog, subscribers, digest: digest([catalog.digest, subscribers.map(({ stage }) => stage)]) }
}

interface Lives {
  readonly world: RehearsalWorld
  readonly fate: Fate
  readonly copied: Copied
  readonly weekOf: ReadonlyMap<string, number>
  readonly attempts: Attempts
}

/**
 * Plans and applies until a life ends without a kill: after each kill the next life recovers and
 * plans again.
 */
async function applyAll({ world, fate, copied, weekOf, attempts }: Lives, week: number): Promise<Plan> {
  for (let life = 0; life < livesMax; life++) {
    const catalog = await staged(world, (file) => week - (weekOf.get(file) ?? 0))
    const { context } = mortal({ ...world.context, catalog }, fate.dies)
    try {
      await recover(context)
      const plan = await makePlan(context)
      if (plan.changes.length > 0) {
        const { changes } = await apply(context, plan, { allow: guardNames, fromFile: true })
        attempts.note(changes, world.accounts.target.now())
      }
      return plan
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      fate.kills += 1
      if (fate.losesStore()) await rebuiltStore(world, copied)
      else await world.context.store.breakLease(applyLease)
    }
  }
  throw new CommandError('rehearsal_stuck', `the program was killed in each of ${livesMax} lives`, {
    fix: 'run it again with another seed',
  })
}

/**
 * What the handbook requires after the loss of a store: import the copy map again, and rebuild the
 * rest from the marks.
 */
async function rebuiltStore(world: RehearsalWorld, copied: Copied): Promise<void> {
  await world.loseStore()
  await importCopies(world, copied)
  await stateRebuild(world.context)
}

/** The results of hand-overs that should have finished. */
class Attempts {
  private readonly bad = new Map<string, Failed & { readonly times: number }>()
  private readonly faults: boolean

  constructor({ faults }: Schedule) {
    this.faults = faults
  }

  note(changes: readonly AppliedChange[], at: Instant): void {
    for (const change of changes) {
      const { action: _action, ...said } = change
      const { address, outcome } = said
      if (outcome === 'done' && this.faults) this.bad.delete(address)
      if (!address.startsWith('subscriber.') || !endedBadly(change)) continue
      const times = (this.bad.get(address)?.times ?? 0) + 1
      this.bad.set(address, { ...said, at, times })
    }
  }

  /**
   * With faults, a single failure may be bad luck: an answer was lost. A subscriber who fails again
   * at the next run, or without faults, would also fail in production.
   */
  failed(): readonly Failed[] {
    return [...this.bad.values()].filter(({ times }) => times > (this.faults ? 1 : 0))
  }
}

function endedBadly({ outcome, code = '' }: AppliedChange): boolean {
  return outcome === 'undone' || outcome === 'failed' || (outcome === 'skipped' && !(code in deferredCodes))
}

/** When the program is killed, and what is lost with it. */
class Fate {
  kills = 0
  storesLost = 0
  private boundaries = 0
  private readonly schedule: Schedule

  constructor(schedule: Schedule) {
    this.schedule = schedule
  }

  /**
   * Kills do not grow with the size of the school: every life reads all of it again, and more kills
   * find nothing new.
   */
  readonly dies = (): boolean => {
    const { seed, faults } = this.schedule
    if (!faults) return false
    const boundary = this.boundaries++
    return chance(seed, boundary) < killChance * Math.min(1, boundariesAtFullChance / boundary)
  }

  losesStore(): boolean {
    if (chance(this.schedule.seed, `store ${this.kills}`) >= storeLossChance) return false
    this.storesLost += 1
    return true
  }
}
