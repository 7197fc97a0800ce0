import { describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { atSource, isRest, type HandoverState } from '../../src/handover/state.ts'
import type { HandoverPlan } from '../../src/handover/types.ts'
import { billsOf, drive, Killed, settleDown } from './drive.ts'
import { memberOf, stageAt, subscribe, copyOf, type Stage } from './stage.ts'

/**
 * A member of two months with a running discount, ready to be moved; created once, and copied for
 * every case.
 */
const begin = (async (): Promise<Stage> => {
  const stage = await stageAt('2026-01-31T09:15:00Z')
  await subscribe(stage, await memberOf(stage), { discounts: [{ coupon: 'welcome-20' }] })
  await stage.advance('2026-03-05T00:00:00Z')
  await stage.copy()
  return stage
})()

const end = '2026-07-15T00:00:00Z'

/** The bills without a move. */
const expected = (async (): Promise<readonly string[]> => {
  const controlRun = await copyOf(await begin)
  await controlRun.advance(end)
  return billsOf(controlRun)
})()

async function planOf(stage: Stage, wanted: 'source' | 'target' | 'settled'): Promise<HandoverPlan> {
  const [found] = await stage.classify(wanted)
  if (found === undefined || !('plan' in found)) throw new Error(`no plan: ${JSON.stringify(found)}`)
  return found.plan
}

/**
 * Kills the run at its n-th command: before it, or after its request was executed and before the
 * answer was read.
 */
async function killedAt(
  stage: Stage,
  plan: HandoverPlan,
  n: number,
  when: 'before' | 'after',
): Promise<{ state: HandoverState | undefined; over: boolean }> {
  let commands = 0
  let last: HandoverState = atSource
  const { state } = await drive(stage, plan, {
    story: {
      before: (now) => {
        last = now
        commands += 1
        if (commands === n && when === 'before') throw new Killed()
      },
      answered: () => {
        if (commands === n && when === 'after') throw new Killed()
      },
    },
  })
  return { state: isRest(state.phase) ? undefined : last, over: commands < n }
}

/** Both subscriptions as they are: they must never both collect. */
async function payers(stage: Stage): Promise<string[]> {
  const collecting: string[] = []
  for (const [name, client] of [
    ['us', stage.us],
    ['target', stage.target],
  ] as const)
    for await (const one of client.subscriptions.list({ status: 'all' }))
      if (one.status !== 'canceled' && one.pause_collection === null) collecting.push(name)
  return collecting
}

const journeys = {
  move: async (stage: Stage) => planOf(stage, 'target'),
  'revert before the renewal': async (stage: Stage) => {
    await drive(stage, await planOf(stage, 'target'))
    return planOf(stage, 'source')
  },
  'revert after the renewal': async (stage: Stage) => {
    await drive(stage, await planOf(stage, 'target'))
    await stage.advance('2026-04-03T00:00:00Z')
    return planOf(stage, 'source')
  },
  settle: async (stage: Stage) => {
    await drive(stage, await planOf(stage, 'target'))
    await stage.advance('2026-04-03T00:00:00Z')
    return planOf(stage, 'settled')
  },
} as const
const goalOf = {
  move: 'target',
  'revert before the renewal': 'source',
  'revert after the renewal': 'source',
  settle: 'settled',
} as const

describe.each(Object.keys(journeys) as (keyof typeof journeys)[])(
  '%s, killed at every boundary and run again',
  (name) => {
    const wanted = goalOf[name]
    test.each([
      ['before', 'remembered'],
      ['after', 'remembered'],
      ['before', 'forgotten'],
      ['after', 'forgotten'],
    ] as const)(
      'killed %s each request, the state %s: ends as a clean run does, with the charges of the control run',
      async (when, memory) => {
        let kills = 0
        for (let n = 1; n < 30; n++) {
          const stage = await copyOf(await begin)
          const plan = await journeys[name](stage)
          const { state, over } = await killedAt(stage, plan, n, when)
          expect(await payers(stage), `after kill ${n}`).not.toContain(['us', 'target'])
          const rest = await settleDown(
            stage,
            wanted,
            memory === 'remembered' && state !== undefined ? { state, plan } : undefined,
          )
          expect({ n, outcome: rest.outcome, standing: rest.standing }).toEqual({
            n,
            outcome: 'unchanged',
            standing: wanted,
          })
          expect((await payers(stage)).length, `payers after ${n}`).toBe(1)
          await stage.advance(end)
          expect(await billsOf(stage), `bills after kill ${n}`).toEqual(await expected)
          if (over) break
          kills += state === undefined ? 0 : 1
        }
        expect(kills).toBeGreaterThanOrEqual(1)
        expect(present(kills, 'kills')).toBeLessThan(29)
      },
    )
  },
)
