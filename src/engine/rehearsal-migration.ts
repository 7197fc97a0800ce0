import type { Catalog, DesiredSubscriber, Stage } from '../catalog/types.ts'
import { digest } from '../core/canonical.ts'
import { instant, parseInstant, secondsPerDay, type Instant } from '../core/instant.ts'
import { CommandError } from '../core/outcome.ts'
import { guardNames } from '../plan/guards.ts'
import type { Plan } from '../plan/types.ts'
import { apply } from './apply.ts'
import type { Context } from './context.ts'
import { importCopyMap } from './copy-map.ts'
import { applyLease } from './lease.ts'
import { makePlan } from './make-plan.ts'
import { Killed, mortal } from './mortal.ts'
import { recover } from './recover.ts'
import type { RehearsalWorld } from './rehearse.ts'

export interface Migration {
  readonly waves: readonly {
    readonly name: string
    readonly people: number
    readonly movedAt: Instant
    readonly settledAt?: Instant
  }[]
  readonly kills: number
  /** The plan that was left at the end: who was not moved, and why. */
  readonly last: Plan
}

export interface Schedule {
  readonly began: Instant
  readonly ended: Instant
  readonly seed: number
  readonly faults: boolean
}

const weekSeconds = 7 * secondsPerDay
/** A wave is settled eight weeks after it was moved, or later where the proof takes longer. */
const settleAfterWeeks = 8
/** All waves are begun within this many weeks. */
const startWeeks = 12
/** Those who were blocked are looked at again this often: dunning ends, drafts are finalized. */
const lookAgainWeeks = 4
/** Chance of dying at one boundary, with faults. */
const killChance = 0.02
const livesMax = 200

/** Imports the copy map, then moves wave after wave, settles, and lets the weeks pass until the end. */
export async function migrate(context: Context, world: RehearsalWorld, schedule: Schedule): Promise<Migration> {
  for (const source of world.context.accounts.sources.keys())
    await importCopyMap(world.context, source, await world.copy(source))
  const files = [...new Set(context.catalog.subscribers.map(({ file }) => file))].toSorted()
  const perWeek = Math.max(1, Math.ceil(files.length / startWeeks))
  const weekOf = new Map(files.map((file, at) => [file, Math.floor(at / perWeek)]))
  const fate = { boundary: 0, kills: 0 }
  let last: Plan | undefined
  for (let week = 0; schedule.began + week * weekSeconds < schedule.ended; week++) {
    const now = instant(schedule.began + week * weekSeconds)
    await world.advance(now)
    context.progress.step()
    if (!isDue(week, now, [...weekOf.values()], last)) continue
    const catalog = await staged(world, (file) => week - (weekOf.get(file) ?? 0))
    last = await applyAll({ ...world.context, catalog }, { ...schedule, fate })
  }
  await world.advance(schedule.ended)
  const waves = files.map((name) => {
    const start = weekOf.get(name) ?? 0
    const settled = schedule.began + (start + settleAfterWeeks) * weekSeconds
    return {
      name,
      people: context.catalog.subscribers.filter(({ file }) => file === name).length,
      movedAt: instant(schedule.began + start * weekSeconds),
      ...(settled < schedule.ended ? { settledAt: instant(settled) } : {}),
    }
  })
  if (last === undefined) throw new CommandError('rehearsal_too_short', 'a rehearsal needs at least one week')
  return { waves, kills: fate.kills, last }
}

/** Whether there is something to do this week: a wave begins or may be settled, a wait is over, or it is time to look at those who were stopped. */
function isDue(week: number, now: Instant, starts: readonly number[], last: Plan | undefined): boolean {
  if (last === undefined || week % lookAgainWeeks === 0) return true
  if (starts.some((start) => start === week || start + settleAfterWeeks === week)) return true
  return last.deferred.some(({ until }) => (parseInstant(until) ?? now) <= now)
}

/** The catalog as its author would have edited it by that week: stages, and nothing else. */
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
  const subscribers = catalog.subscribers.map((one) => ({ ...one, stage: stageOf(one) }))
  return { ...catalog, subscribers, digest: digest([catalog.digest, subscribers.map(({ stage }) => stage)]) }
}

interface Fate {
  boundary: number
  kills: number
}

/** Plans and applies until nothing dies any more: after a kill the next life recovers and plans anew. */
async function applyAll(context: Context, { seed, faults, fate }: Schedule & { readonly fate: Fate }): Promise<Plan> {
  for (let life = 0; life < livesMax; life++) {
    const dies = (): boolean => faults && chance(seed, fate.boundary++) < killChance
    const { context: living } = mortal(context, dies)
    try {
      await recover(living)
      const plan = await makePlan(living)
      if (plan.changes.length > 0) await apply(living, plan, { allow: guardNames, fromFile: true })
      return plan
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      fate.kills += 1
      await context.store.breakLease(applyLease)
    }
  }
  throw new CommandError('rehearsal_stuck', `no life of ${livesMax} came to its end`, {
    fix: 'run it again with another seed',
  })
}

/** 0 to 1, the same for the same seed and number. */
function chance(seed: number, number: number): number {
  return Number.parseInt(digest([seed, number]).slice(0, 8), 16) / 2 ** 32
}
