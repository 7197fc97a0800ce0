import { expect, test } from 'vitest'
import { appliedPlans } from '../../src/engine/apply/applied-log.ts'
import { personDates } from '../../src/engine/plan/person-dates.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

test('the evidence knows which plan moved and settled whom, when, and what is possible now', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], '2026-10-05T12:00:00Z')
  const dates = async (stage: 'source' | 'target' | 'settled'): Promise<unknown> => {
    const context = school.stage(stage)
    return [...(await personDates(context, await survey(context))).values()]
  }
  expect(await dates('source')).toEqual([])
  const { plan: moved } = await planAndApply(school.stage('target'))
  const base = { successor: expect.stringMatching(/^sub_/) as string, renewal: '2026-10-20T09:15:00Z' }
  const since = { moved: '2026-10-05T12:00:00Z' }
  expect(await dates('target')).toEqual([
    {
      ...base,
      ...since,
      plan: moved.plan,
      back: { possible: 'now' },
      settle: { possible: 'later', code: 'renewal_unproven', from: '2026-11-03T09:15:00Z' },
    },
  ])
  await school.advance('2026-10-25T12:00:00Z')
  expect(await dates('target')).toMatchObject([{ settle: { possible: 'now' } }])
  const { plan: settled } = await planAndApply(school.stage('settled'))
  expect(await dates('settled')).toEqual([{ ...base, ...since, settled: '2026-10-25T12:00:00Z', plan: settled.plan }])
  // An empty plan leaves no line.
  await planAndApply(school.stage('settled'))
  expect(await appliedPlans(school.stage('settled').store)).toMatchObject([
    { plan: moved.plan, result: 'proven', began: '2026-10-05T12:00:00Z', done: { move: 1 }, allowed: [] },
    { plan: settled.plan, result: 'proven', ended: '2026-10-25T12:00:00Z', done: { settle: 1 } },
  ])
})
