import { describe, expect, test, vi } from 'vitest'
import { Chalk } from 'chalk'
import { applyText } from '../../src/cli/render/apply-text.ts'
import { apply, type ApplyResult } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { type Members, members } from './members.ts'
import { boundaries, dieAt, elsewhere, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'
const people = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }, { since: '2026-09-22T09:15:00Z' }]

/** Two checkouts with their own stores, each with its own plan of the same YAML. */
async function twoCheckouts(school: Members, stage: 'target' | 'settled' | 'source') {
  const first = school.stage(stage)
  const second = await elsewhere(first)
  const plans = [await makePlan(first), await makePlan(second)] as const
  return Promise.all([apply(first, plans[0]), apply(second, plans[1])])
}

const ofPeople = ({ changes }: ApplyResult) => changes.filter(({ address }) => address.startsWith('subscriber.'))
const text = (result: ApplyResult): string => applyText(result, new Chalk({ level: 0 }))

describe('promise 12: a summary counts what this run did, and no two runs count the same work', () => {
  test('two checkouts that move the same people at the same time', async () => {
    await using school = await members(people, now)
    const both = await twoCheckouts(school, 'target')
    const moved = both.map(({ summary }) => summary.moved)
    expect(moved.reduce((sum, one) => sum + one, 0)).toBe(people.length)
    for (const result of both)
      expect(ofPeople(result).filter(({ outcome, by }) => outcome === 'done' && by === undefined)).toHaveLength(
        result.summary.moved,
      )
    expect(await school.target.subscriptions.list({ status: 'all' })).toMatchObject({ data: { length: people.length } })
  })

  test('a second checkout that applies the same plan after the first', async () => {
    await using school = await members(people, now)
    const context = school.stage('target')
    const other = await elsewhere(context)
    const plan = await makePlan(context)
    await apply(context, plan)
    const late = await apply(other, plan)
    expect(late.summary.moved).toBe(0)
    expect(ofPeople(late).map(({ by }) => by)).toEqual(['another_run', 'another_run', 'another_run'])
    expect(text(late)).toContain('3 moved to the target account by another run, at the same time or before')
    expect(late.ok).toBe(true)
  })

  test('what the recovery finished or undid counts once, and no subscriber is counted as waiting for it', async () => {
    await using school = await members([people[0] ?? { since: now }], now)
    const plan = await makePlan(school.stage('target'))
    const clean = plan.changes.flatMap(({ steps }) => steps).length
    const seen = new Set<string>()
    for (const boundary of boundaries(clean + 6).filter(({ side }) => side === 'after')) {
      await using again = await members([people[0] ?? { since: now }], now)
      if (!(await dieAt(again.stage('target'), boundary, planAndApply))) continue
      // The plan is made while the subscriber is unfinished, so it lists them as blocked.
      const { plan: blocked, result } = await planAndApply(again.stage('target'))
      const waits = blocked.blocked.map(({ code }) => code)
      const live = (await again.target.subscriptions.list({})).data.length
      seen.add(`${waits.join()} ${result.recovered.map(({ outcome }) => outcome).join()} ${result.summary.moved}`)
      expect(result.summary.blocked).toEqual({ count: 0, codes: {} })
      expect(result.summary.moved).toBeLessThanOrEqual(live)
      const isFinished = waits.includes('unfinished') && result.recovered[0]?.outcome === 'done'
      expect(result.summary.moved).toBeGreaterThanOrEqual(isFinished ? 1 : 0)
    }
    expect([...seen].some((one) => one.startsWith('unfinished done'))).toBe(true)
  })
})
