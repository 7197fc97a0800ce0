import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { readPlan, savePlan } from '../../src/cli/wiring/plan-file.ts'
import { linedJson } from '../../src/core/json-text.ts'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { verifyMarkdown } from '../../src/cli/render/verify-text.ts'
import { planDigest } from '../../src/plan/assemble.ts'
import { present } from '../../src/core/assert.ts'
import type { Goal } from '../../src/handover/types.ts'
import { isHandover } from '../../src/plan/change.ts'
import type { Change, Plan } from '../../src/plan/types.ts'

const saved = fileURLToPath(new URL('../golden/projects/saved-plan/wave-01.plan.json', import.meta.url))
const small = JSON.parse(readFileSync(saved, 'utf8')) as Plan
const folder = mkdtempSync(join(tmpdir(), 'crossbill-plan-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A plan with that number of entries of every kind, each with the longest texts. */
function large(many: number): Plan {
  const long = 'because of this and that, | which goes on and on '.repeat(20)
  const described = (n: number, address: string) => ({
    address,
    because: [long],
    patch: [{ op: 'replace' as const, path: '/description', value: long }],
    people: n,
    steps: [],
  })
  const moving = present(small.changes.find(isHandover), 'a move in the saved plan')
  const handover = (n: number, action: Goal, id: string): Change => {
    const key = `us/${id}${n}` as const
    return { ...described(n, `subscriber.${key}`), action, expect: { ...moving.expect, key } }
  }
  const some = <T>(one: (n: number) => T): T[] => Array.from({ length: many }, (_, n) => one(n))
  const plan: Plan = {
    ...small,
    changes: [
      ...some((n) => ({ ...described(n, `price.p${n}`), action: 'update' as const, expect: { seen: '' } })),
      ...some((n) => handover(n, 'move', 'sub_')),
      ...some((n) => handover(n, 'settle', 'sub_s')),
      ...some((n) => ({
        ...described(n, `access.us/sub_g${n}.offer`),
        action: 'grant' as const,
        expect: { offer: 'offer', subscribers: [`us/sub_g${n}`], seen: '' },
      })),
    ],
    drift: some((n) => ({ address: `subscriber.us/sub_d${n}`, code: 'x', message: long, patch: [] })),
    deferred: some((n) => ({ address: `subscriber.us/sub_w${n}`, code: 'renews_soon', until: small.expires })),
    blocked: some((n) => ({
      address: `subscriber.us/sub_b${n}`,
      code: n < many - 1 ? 'past_due' : 'metered_price',
      message: long,
      fix: long,
    })),
  }
  return { ...plan, plan: planDigest(plan) }
}

test('the plan for a pull request fits into a comment, says what it leaves out, and leaves out no code', () => {
  const text = planMarkdown(large(3_000))
  expect(text.length).toBeLessThan(65_536)
  expect(text).toContain('### Blocked (3000)')
  expect(text).toContain('`past_due` 2999 · `metered_price` 1')
  expect(text).toMatch(/\| `metered_price` because/)
  expect(text).toMatch(/… and \d+ more \(`--format json` lists all\)\./)
})

test('violations fit into a job’s summary page', () => {
  const violation = { code: 'no_payer', subscriber: 'us/sub_1', detail: 'd'.repeat(900), fix: 'f'.repeat(900) } as const
  const violations = Array.from({ length: 3_000 }, () => violation)
  expect(
    verifyMarkdown({ ok: false, checked: 3_000, ended: 0, accounts: {}, violations, notices: [] }).length,
  ).toBeLessThan(65_536)
})

test('a saved plan has one line for each change, is read in any layout, and is refused after a change of its content', async () => {
  const path = join(folder, 'wave.plan.json')
  const plan = large(50)
  await savePlan(path, plan)
  const text = readFileSync(path, 'utf8')
  expect(text.split('\n').filter((line) => line.startsWith('{"address":"subscriber.us/sub_1",'))).toHaveLength(1)
  expect(await readPlan(path)).toEqual(plan)
  writeFileSync(path, JSON.stringify(JSON.parse(text), null, 2))
  expect(await readPlan(path)).toEqual(plan)
  writeFileSync(path, text.replace('"people":7,', '"people":8,'))
  await expect(readPlan(path)).rejects.toMatchObject({ code: 'plan_altered' })
  writeFileSync(path, text.slice(0, -4))
  await expect(readPlan(path)).rejects.toMatchObject({ code: 'plan_format' })
})

test('a plan of more than ten thousand changes is compressed under its own name, and so is one whose name asks for it', async () => {
  const path = join(folder, 'large.plan.json')
  const named = join(folder, 'small.plan.json.gz')
  const many = Array.from({ length: 10_001 }, (_, n) => ({
    address: `price.p${n}`,
    because: ['new price'],
    patch: [],
    people: 0,
    steps: [],
    action: 'update' as const,
    expect: { seen: '' },
  }))
  const plan: Plan = { ...small, changes: many }
  const whole = { ...plan, plan: planDigest(plan) }
  expect(await savePlan(path, whole)).toEqual([path, join(folder, 'large.md')])
  expect(await savePlan(named, small)).toEqual([named, join(folder, 'small.md')])
  for (const [at, one] of [
    [path, whole],
    [named, small],
  ] as const) {
    const bytes = readFileSync(at)
    expect([...bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b])
    expect(gunzipSync(bytes).toString()).toBe([...linedJson(one)].join(''))
    expect(await readPlan(at)).toEqual(one)
    await expect(savePlan(at, one)).resolves.toHaveLength(2)
    writeFileSync(at, bytes.subarray(0, bytes.length - 30))
    await expect(readPlan(at)).rejects.toMatchObject({ code: 'plan_unreadable' })
  }
})

test('a plan replaces an earlier plan and no other file', async () => {
  const path = join(folder, 'again.plan.json')
  await savePlan(path, small)
  await expect(savePlan(path, small)).resolves.toHaveLength(2)
  const other = join(folder, 'prices.json')
  writeFileSync(other, 'prices: {}\n')
  await expect(savePlan(other, small)).rejects.toMatchObject({ code: 'out_taken' })
  expect(readFileSync(other, 'utf8')).toBe('prices: {}\n')
  writeFileSync(join(folder, 'README.md'), '# School\n')
  await expect(savePlan(join(folder, 'README.json'), small)).rejects.toMatchObject({ code: 'out_taken' })
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('# School\n')
})
