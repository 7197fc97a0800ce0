import { expect, test } from 'vitest'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { members } from './members.ts'

const one = [{ since: '2026-09-20T09:15:00Z' }] as const

test('an unknown target is refused with the likely right one: an empty plan would look like nothing to do', async () => {
  await using school = await members(one, '2026-10-05T12:00:00Z')
  const context = school.stage('target')
  const [key = ''] = school.keys
  const address = `subscriber.${key}`
  const plan = async (target: string) => (await makePlan(context, { targets: [target] })).changes.map((c) => c.address)
  expect(await plan(address)).toContain(address)
  expect(await plan('subscriber.us/*')).toContain(address)
  // Known, but without a change.
  expect(await plan(`access.${key}.course`)).toEqual([])
  await expect(plan(address.replace('subscriber', 'subscribr'))).rejects.toMatchObject({
    code: 'target_unknown',
    fix: `Did you mean ${address}?`,
  })
  await expect(plan('nothing.*')).rejects.toMatchObject({ code: 'target_unknown' })
})
