import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Confirmed, RecordedAnswer } from '../../src/assumptions/record.ts'
import { apiVersion } from '../../src/sandbox/kernel/events.ts'
import { servedProject, type ServedProject } from './served-project.ts'

/** Two subscribers, of whom one has a discount. */
let project: ServedProject
beforeAll(async () => {
  project = await servedProject()
  const price = await project.price('us', 4_900)
  const coupon = await project.stripe('us').coupons.create({ percent_off: 10, duration: 'forever' })
  await project.member('us', price, { discounts: [{ coupon: coupon.id }] })
  await project.member('us', price)
  await project.ready()
}, 60_000)
afterAll(() => project[Symbol.asyncDispose]())

function answered(...answers: readonly Partial<RecordedAnswer>[]): void {
  const usual = { case: 'a case', row: null, verdict: 'as_assumed', reading: null, seen: null } as const
  const record: Confirmed = {
    format: 1,
    tool: 'crossbill 0.1.0',
    at: '2026-11-30T06:00:00Z',
    account: 'acct_1Test',
    api_version: apiVersion,
    answers: answers.map((one) => ({ ...usual, ...one })),
  }
  written(JSON.stringify(record))
}

function written(text: string): void {
  mkdirSync(join(project.folder, 'state'), { recursive: true })
  writeFileSync(join(project.folder, 'state/confirmed.json'), text)
}

interface Findings {
  readonly findings: readonly { readonly check: string; readonly status: string; readonly message: string }[]
}

async function doctor(): Promise<{ code: number; findings: Findings['findings'] }> {
  const { code, stdout } = await project.run('doctor', '--format', 'json')
  const { findings } = JSON.parse(stdout) as Findings
  const checks = ['stripe_differs', 'questions', 'confirmed_unreadable', 'confirmed_other_version']
  return { code, findings: findings.filter(({ check }) => checks.includes(check)) }
}

async function notices(): Promise<readonly { subscriber: string; message: string }[]> {
  const { stdout } = await project.run('plan', '--format', 'json')
  const plan = JSON.parse(stdout) as { notices?: { code: string; subscriber: string; message: string }[] }
  return (plan.notices ?? []).filter(({ code }) => code === 'stripe_differs')
}

async function questionsReported(): Promise<string> {
  await project.run('report')
  const text = readFileSync(join(project.folder, 'report/verification.md'), 'utf8')
  return text.slice(text.indexOf('## Questions'))
}

describe('nothing silent: what a test account answered is shown to the people of the project', () => {
  test('before anybody asked, doctor and report list every question as never confirmed', async () => {
    const { findings } = await doctor()
    expect(findings).toEqual([
      expect.objectContaining({
        check: 'questions',
        status: 'warning',
        message: expect.stringMatching(/rows 5, 7, 8/),
      }),
    ])
    expect(await questionsReported()).toMatch(/^\| 5 \|.*never confirmed/m)
    expect(await notices()).toEqual([])
  })

  test('an answer that the documents allow is a warning with the number of people and the consequence', async () => {
    answered({ row: 5, verdict: 'different', reading: 'false', seen: '1' }, { row: 7, reading: 'false' })
    const { findings } = await doctor()
    expect(findings[0]).toMatchObject({ check: 'stripe_differs', status: 'warning' })
    expect(findings[0]?.message).toContain('1 subscriber has discounts. Their discounts survive')
    expect(findings[1]?.message).toMatch(/acct_1Test answered 2 open questions.*never confirmed: rows 8, 9/)
    expect(await notices()).toEqual([
      expect.objectContaining({
        subscriber: 'question.5',
        message: expect.stringContaining('1 subscriber has discounts'),
      }),
    ])
    const report = await questionsReported()
    expect(report).toMatch(/^\| 5 \|.*confirmed otherwise \(false\) \| 1 \| 1 subscriber has discounts/m)
    expect(report).toMatch(/^\| 7 \|.*\| confirmed \(false\)/m)
    expect(report).toMatch(/^\| 14 \|.*only a person can/m)
  })

  test('an answer that concerns nobody here is no notice of a plan', async () => {
    answered({ row: 20, verdict: 'different', reading: 'rounded', seen: '11110' })
    expect(await notices()).toEqual([])
    expect((await doctor()).findings[0]).toMatchObject({ check: 'stripe_differs', status: 'warning' })
  })

  test('an answer that no document suggests, and documented behaviour that is missing, fail', async () => {
    answered(
      { row: 5, verdict: 'different', seen: '"frog"' },
      { case: 'an anchor on the 31st returns', verdict: 'different', seen: '["2027-02-27"]' },
    )
    const { code, findings } = await doctor()
    expect(code).toBe(1)
    expect(findings.filter(({ status }) => status === 'failed').map(({ message }) => message)).toEqual([
      expect.stringContaining('The account answers "frog", which no document suggests'),
      expect.stringContaining('does not behave as documented: an anchor on the 31st returns'),
    ])
    expect((await notices()).map(({ subscriber }) => subscriber)).toEqual(['question.5', 'question.documented'])
  })

  test('a file that cannot be read stops no command, and doctor names the reason', async () => {
    for (const [text, reason] of [
      ['{', 'it is not JSON'],
      ['{"format":2}', 'must'],
    ] as const) {
      written(text)
      const { findings } = await doctor()
      expect(findings[0]).toMatchObject({ check: 'confirmed_unreadable', message: expect.stringContaining(reason) })
      expect(await notices()).toEqual([])
    }
  })
})
