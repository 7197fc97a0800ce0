import fc from 'fast-check'
import { attempts, send, type Attempt } from './doors.ts'
import { openGround, type Ground, type GroundOptions } from './ground.ts'

export interface FuzzOptions extends GroundOptions {
  readonly seed: number
  readonly runs: number
  /** False: the first case that was found is enough. */
  readonly shrink?: false
}

/** The smallest case that breaks a promise, in words; undefined when none was found. */
export type Finding = string | undefined

/** How many requests one school receives before everything is checked. */
const batch = 12
const members = 6

/** Milliseconds of processor time that any request may cost, however odd it is. */
const dearest = 400

/**
 * Sends odd requests to every door of a whole service. None may be answered with 5xx, cost more
 * than its size, stop the service, or cancel a member who did not ask.
 */
export async function fuzzDoors({ seed, runs, shrink, ...options }: FuzzOptions): Promise<Finding> {
  const property = fc.asyncProperty(fc.array(attempts, { minLength: 1, maxLength: batch }), async (list) => {
    const ground = await openGround(members, options)
    try {
      for (const attempt of list) await answered(ground, attempt)
      await within(ground.work(), 'the worker')
      const wrong = await ground.wrong()
      if (wrong !== undefined) throw new Error(wrong)
    } finally {
      await ground.close()
    }
  })
  return findingOf(await fc.check(property, { seed, numRuns: Math.ceil(runs / batch), endOnFailure: shrink === false }))
}

async function answered(ground: Ground, attempt: Attempt): Promise<void> {
  const answer = await send(ground, attempt)
  // An answer without a status is a connection that the service closed, as it may.
  if ((answer.status ?? 0) >= 500) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  if (answer.cost < dearest) return
  const again = await send(ground, attempt)
  if (again.cost >= dearest) throw new Error(`costs ${Math.round(again.cost)} ms of processor time`)
}

const patience = 60_000

/** Fails when the work does not end. */
export async function within(work: Promise<void>, who: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${who} did not end within ${patience / 1_000} s`)), patience)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export function findingOf<T>(result: fc.RunDetails<[T]>): Finding {
  if (!result.failed) return undefined
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
  const smallest = JSON.stringify(result.counterexample?.[0], undefined, 2)
  return `${why}\n  seed ${result.seed}, after ${result.numRuns} runs and ${result.numShrinks} shrinks:\n${shortened(smallest)}`
}

function shortened(text: string): string {
  return text.replaceAll(/(.{1,4})\1{60,}/g, (all, unit: string) => `${unit}…×${all.length / unit.length}`)
}
