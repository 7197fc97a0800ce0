import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { CommandError } from '../../src/core/outcome.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { planDigest } from '../../src/plan/assemble.ts'
import { isHandover } from '../../src/plan/change.ts'
import type { Plan } from '../../src/plan/types.ts'
import { members, type Members } from './members.ts'
import { planAndApply } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 180_000 })

const now = '2026-10-05T12:00:00Z'
const people = ['2026-09-18', '2026-09-19', '2026-09-20', '2026-09-21'].map((day) => ({ since: `${day}T09:15:00Z` }))
const limit = 'guards: { people_moved: 2 }\n'

/** As a person does who edits the file and computes the digest again. */
function resealed(plan: Plan): Plan {
  return { ...plan, plan: planDigest(plan) }
}

async function prepared(policies = limit): Promise<Members> {
  const school = await members(people, now)
  await planAndApply(school.stage('source', policies))
  school.rig.sent.length = 0
  return school
}

const edits: Readonly<Record<string, (plan: Plan) => Plan>> = {
  'a guard that no longer trips': (plan) => ({
    ...plan,
    guards: plan.guards.map(({ id, limit: most, actual }) => ({ id, limit: most, actual, tripped: false })),
  }),
  'a guard with another limit': (plan) => ({
    ...plan,
    guards: plan.guards.map(({ id, limit: most, actual }) => ({
      id,
      limit: id === 'people_moved' ? 9 : most,
      actual,
      tripped: false,
    })),
  }),
  'a guard with another reading': (plan) => ({
    ...plan,
    guards: plan.guards.map(({ id, limit: most }) => ({ id, limit: most, actual: 0, tripped: false })),
  }),
  'no guards': (plan) => ({ ...plan, guards: [] }),
}

test.each(Object.keys(edits))(
  'a plan of four subscribers with a limit of two and %s moves none of them',
  async (name) => {
    await using school = await prepared()
    const context = school.stage('target', limit)
    const plan = await makePlan(context)
    expect(plan.guards.find(({ id }) => id === 'people_moved')).toMatchObject({ actual: 4, limit: 2, tripped: true })
    const edited = resealed(edits[name]?.(plan) ?? plan)
    await expect(apply(context, edited, { fromFile: true })).rejects.toMatchObject({
      code: expect.stringMatching(/^(plan_edited|plan_stale|guard_tripped)$/) as string,
    })
    expect(school.rig.sent).toEqual([])
  },
)

const others: Readonly<Record<string, (plan: Plan) => Plan>> = {
  'another amount shown': (plan) => ({
    ...plan,
    money: { ...plan.money, next_charges: plan.money.next_charges.map((one) => ({ ...one, amount: one.amount + 1 })) },
  }),
  'a charge that is not shown': (plan) => ({ ...plan, money: { ...plan.money, next_charges: [] } }),
  'another revenue': (plan) => ({
    ...plan,
    money: { ...plan.money, mrr: { usd: { before: 1, after: 2 } } },
  }),
  'a parameter changed': (plan) => withSteps(plan, (step) => ({ ...step, params: { ...step.params, extra: '1' } })),
  'an account changed': (plan) => withSteps(plan, (step) => ({ ...step, account: 'target' })),
  'another key': (plan) => withSteps(plan, (step) => ({ ...step, idempotency_key: 'crossbill-0' })),
  'a change said twice': (plan) => {
    const changes = plan.changes.flatMap((one) => [one, one])
    return { ...plan, changes, summary: { ...plan.summary, move: changes.length } }
  },
  'another order': (plan) => ({ ...plan, changes: plan.changes.toReversed() }),
  'a summary of less': (plan) => ({ ...plan, summary: { ...plan.summary, move: 1 } }),
  'a longer life': (plan) => ({ ...plan, expires: '2030-01-01T00:00:00Z' }),
  'a later birth': (plan) => ({ ...plan, created: '2027-01-01T00:00:00Z', expires: '2027-01-02T00:00:00Z' }),
  'an expectation changed': (plan) => ({
    ...plan,
    changes: plan.changes.map((one) => (isHandover(one) ? { ...one, expect: { ...one.expect, window: 0 } } : one)),
  }),
}

function withSteps(plan: Plan, edit: (step: Plan['changes'][number]['steps'][number]) => object): Plan {
  const changes = plan.changes.map((one) => ({ ...one, steps: one.steps.map(edit) }))
  return { ...plan, changes: changes as unknown as Plan['changes'] }
}

test('only the reviewed plan is applied: an edited file is refused even with a new digest, and nothing is sent', async () => {
  await using school = await prepared('')
  const context = school.stage('target')
  const plan = await makePlan(context)
  for (const [name, edit] of Object.entries(others)) {
    const outcome = await apply(context, resealed(edit(plan)), { fromFile: true }).then(
      () => 'applied',
      (error: unknown) => (error instanceof CommandError ? error.code : String(error)),
    )
    expect(`${name}: ${outcome}`).toMatch(/: plan_(edited|stale)$/)
    expect(school.rig.sent).toEqual([])
  }
  // The plan itself is unchanged.
  expect((await apply(context, plan, { fromFile: true })).ok).toBe(true)
})

/** Every path in a document, as steps from its top. */
function placesIn(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value))
    return [path, ...(value as readonly Json[]).flatMap((one, at) => placesIn(one, [...path, at]))]
  if (isJsonObject(value))
    return [path, ...Object.entries(value).flatMap(([key, one]) => placesIn(one ?? null, [...path, key]))]
  return [path]
}

function replaced(value: Json, [step, ...rest]: readonly (string | number)[], by: Json): Json {
  if (step === undefined) return by
  if (Array.isArray(value))
    return (value as readonly Json[]).map((one, at) => (at === step ? replaced(one, rest, by) : one))
  if (!isJsonObject(value)) return value
  return { ...value, [step]: replaced(value[String(step)] ?? null, rest, by) }
}

test('with any change anywhere in the file, it is refused, or exactly the reviewed requests are sent (property)', async () => {
  const clean = await sentBy((plan) => plan)
  expect(clean.outcome).toBe('applied')
  expect(clean.sent.length).toBeGreaterThan(0)
  const places = placesIn(asJson(clean.plan)).filter((path) => path.length > 0 && path[0] !== 'plan')
  const odd = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.constant([]), fc.constant({}), fc.boolean())
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), odd, async (path, by) => {
      const edit = (plan: Plan): Plan => replaced(asJson(plan), path, by as Json) as unknown as Plan
      const { outcome, sent } = await sentBy(edit)
      const isRefused = /^(?:plan|guard)_\w+$/.test(outcome) && sent.length === 0
      const isSame = outcome === 'applied' && sent.join('\n') === clean.sent.join('\n')
      expect({ place: path.join('.'), outcome, fine: isRefused || isSame }).toMatchObject({ fine: true })
    }),
    { numRuns: 60 },
  )
})

function asJson(plan: Plan): JsonObject {
  return JSON.parse(JSON.stringify(plan)) as JsonObject
}

async function sentBy(edit: (plan: Plan) => Plan): Promise<{ outcome: string; sent: readonly string[]; plan: Plan }> {
  await using school = await prepared('')
  const context = school.stage('target')
  const plan = await makePlan(context)
  const outcome = await apply(context, resealed(edit(plan)), { fromFile: true }).then(
    () => 'applied',
    (error: unknown) => (error instanceof CommandError ? error.code : String(error)),
  )
  return { outcome, sent: [...school.rig.sent].toSorted(), plan }
}
