import { guardNames } from '../../src/catalog/guards.ts'
import { Bug } from '../../src/core/assert.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { recover } from '../../src/engine/apply/recover.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { Happening } from './happenings.ts'
import { onAccounts } from './mutations.ts'
import { Broken } from './promises.ts'
import { bury, type BothWorlds } from './world.ts'

interface Surroundings {
  readonly worlds: BothWorlds
  readonly note: (text: string) => void
  readonly count: (name: string) => void
  /** The same context, looked at between any two requests. */
  readonly watched: (context: Context) => Context
}

/** Runs that stop in the middle of a request, and go on when others have worked meanwhile. */
export class FrozenRuns {
  private readonly around: Surroundings
  private frozen: Frozen | undefined

  constructor(around: Surroundings) {
    this.around = around
  }

  get isStopped(): boolean {
    return this.frozen !== undefined
  }

  async freeze({ from, stopsAt }: Extract<Happening, { readonly do: 'freeze' }>): Promise<void> {
    const { worlds, note, count, watched } = this.around
    const { context, isAlone } = await worlds.machine(from)
    this.frozen = await runUntil(watched(context), stopsAt, (stopping) => this.run(stopping))
    if (this.frozen === undefined) return note(`apply from ${from}, which never stopped`)
    count('runs_frozen')
    note(`a run from ${from} stops at ${stopsAt}`)
    // On the same store another run takes its place.
    if (!isAlone) await bury(context)
  }

  /** @returns whether there was one. */
  async thaw(): Promise<boolean> {
    const { frozen } = this
    if (frozen === undefined) return false
    this.frozen = undefined
    this.around.count('runs_thawed')
    await frozen.thaw()
    this.around.note('the stopped run has gone on to its end')
    return true
  }

  /** Its end is its own matter: the next undisturbed run is judged. */
  private async run(context: Context): Promise<void> {
    try {
      await recover(context)
      await apply(context, await makePlan(context), { allow: guardNames, fromFile: true })
    } catch (error) {
      if (error instanceof Broken || error instanceof Bug || error instanceof TypeError) throw error
      this.around.note(`a run beside the others ended: ${String(error)}`)
    }
  }
}

/** A run that was stopped, and everything in it with it. */
interface Frozen {
  /** Goes on, to its end. */
  thaw(): Promise<void>
}

/**
 * Runs until the `stopsAt`-th boundary of its requests (even: before one is sent; odd: after it was
 * executed and before its answer is seen), and stops there.
 * @returns the frozen run; undefined when the run ended before
 */
async function runUntil(
  living: Context,
  stopsAt: number,
  work: (context: Context) => Promise<void>,
): Promise<Frozen | undefined> {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let requests = 0
  let stopped = false
  const pass = async (boundary: number): Promise<void> => {
    if (boundary === stopsAt) {
      stopped = true
      reached.resolve()
    }
    if (stopped) await go.promise
  }
  const context = onAccounts(living, (account) => ({
    ...account,
    async send(request) {
      if (request.method === 'GET' || request.path.endsWith('/create_preview')) {
        if (stopped) await go.promise
        return account.send(request)
      }
      const number = requests++
      await pass(number * 2)
      const answer = await account.send(request)
      await pass(number * 2 + 1)
      return answer
    },
  }))
  const ended = work(context).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  const first = await Promise.race([ended.then((end) => ({ end })), reached.promise.then(() => undefined)])
  if (first !== undefined) {
    if (first.end !== undefined) throw first.end.error
    return undefined
  }
  return {
    async thaw() {
      stopped = false
      go.resolve()
      const end = await ended
      if (end !== undefined) throw end.error
    },
  }
}
