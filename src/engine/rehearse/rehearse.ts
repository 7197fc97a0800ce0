import type { RehearsalWorlds } from './world.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Context } from '../context.ts'
import { refresh } from '../read/refresh.ts'
import { migrate, type Worlds } from './migration.ts'
import { rehearsalReport } from './outcome.ts'
import type { RehearsalReport } from './report.ts'
import { standingNow, type Standing } from './wave-order.ts'

export interface RehearseOptions {
  readonly months: number
  /** Kills at journal boundaries, lost stores, outside faults, and members who act on their own. */
  readonly faults: boolean
  readonly seed: number
  readonly worlds: RehearsalWorlds
  /** The share of asked members who enter a card; undefined: none is asked. */
  readonly answering?: number
  /** The share of members whose card is refused once, for one to three weeks. */
  readonly declines?: number
  /** The share of moved members whose card is refused once because of the move. */
  readonly moveDeclines?: number
}

const daysPerMonth = 30.436875

/**
 * Plays the whole migration in two worlds built from the live sources and compares every charge. In
 * the control run no subscriber migrates; in the other run the waves of the subscriber files are
 * moved and settled week after week. The sources are only read.
 */
export async function rehearse(context: Context, options: RehearseOptions): Promise<RehearsalReport> {
  if (context.catalog.subscribers.length === 0)
    throw new CommandError('nobody_to_rehearse', 'the catalog declares no subscribers, so there is nothing to move', {
      notDone: 'no account was read',
      fix: 'crossbill pull',
    })
  const { seed, months, faults, answering, declines = 0, moveDeclines = 0 } = options
  const { stay, move, standing } = await bothWorlds(context, options)
  try {
    const began = stay.context.accounts.target.now()
    const ended = instant(began + Math.round(months * daysPerMonth) * secondsPerDay)
    context.progress.start('playing the weeks', Math.ceil((ended - began) / secondsPerDay / 7))
    const schedule = {
      began,
      ended,
      standing,
      seed,
      faults,
      declines,
      moveDeclines,
      ...(answering === undefined ? {} : { answering }),
    }
    const migration = await migrate(context, { stay, move }, schedule)
    context.progress.done()
    return await rehearsalReport({ stay, move, migration, people: standing.people, began, ended, seed, months })
  } finally {
    await move.close()
    await stay.close()
  }
}

/** The worlds keep what they need, so the reading is let go of before the months are played. */
async function bothWorlds(
  context: Context,
  { worlds, seed, faults }: RehearseOptions,
): Promise<Worlds & { readonly standing: Standing }> {
  const live = await refresh(context)
  const standing = standingNow(context.catalog.subscribers, live)
  const stay = await worlds.build(live, { seed, faults: false })
  try {
    return { stay, move: await worlds.build(live, { seed, faults }), standing }
  } catch (error) {
    await stay.close()
    throw error
  }
}
