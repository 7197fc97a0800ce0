import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import nock from 'nock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digest } from '../../src/core/canonical.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { crossbill, type Ran } from '../cli/crossbill.ts'
import { copyProject, inWorld } from '../cli/project-world.ts'
import { StandInGitlab } from './gitlab.ts'

const [first = '', second = '', merge = ''] = ['a', 'b', 'c'].map((letter) => letter.repeat(40))

describe('the merge-request flow on GitLab', () => {
  let forge: StandInGitlab
  let folder = ''
  beforeEach(() => {
    nock.disableNetConnect()
    forge = new StandInGitlab()
    folder = copyProject('small')
  })
  afterEach(() => {
    nock.cleanAll()
    nock.enableNetConnect()
    rmSync(folder, { recursive: true, force: true })
  })

  const job = async (command: string, env: Readonly<Record<string, string>>): Promise<Ran> =>
    await crossbill(['ci', command, '--quiet'], folder, {
      GITLAB_CI: 'true',
      CI_API_V4_URL: 'https://gitlab.example/api/v4',
      CI_PROJECT_ID: '5',
      CROSSBILL_GITLAB_TOKEN: 'token',
      ...env,
    })
  const push = async (head: string, from = '5'): Promise<Ran> => {
    forge.head = head
    const ran = await job('plan', {
      // The merged result, which is not the newest commit.
      CI_COMMIT_SHA: 'e'.repeat(40),
      CI_MERGE_REQUEST_IID: '7',
      CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: head,
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: from,
      CI_MERGE_REQUEST_PROJECT_ID: '5',
    })
    forge.jobs = [
      { id: 8, name: 'crossbill-validate', status: 'success' },
      { id: 9, name: 'crossbill-plan', status: 'success' },
    ]
    return ran
  }
  const apply = async (): Promise<Ran> => await job('apply', { CI_COMMIT_SHA: merge })
  const night = async (): Promise<Ran> => await job('night', { CI_COMMIT_SHA: merge })
  const saved = (): string => readFileSync(join(folder, 'plans/ci.plan.json'), 'utf8')
  const prices = async (): Promise<number> =>
    await inWorld(folder, ['target', 'us'], async (stripe) => {
      const { data } = await stripe('target').prices.list({ limit: 100 })
      return data.length
    })

  test('two pushes have one note; the merge applies its plan; the night has one issue', async () => {
    forge.note(1, 'Nice!')
    expect(await push(first)).toMatchObject({ code: 0 })
    const note = forge.notes[1]
    expect(note?.body).toContain('**Can be applied')
    const file = join(folder, 'catalog/prices.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('4900', '5900'))
    expect(await push(second)).toMatchObject({ code: 0 })
    expect(forge.notes).toHaveLength(2)
    expect(note?.body).toContain(`commit=${second}`)
    forge.files.set(9, saved())

    forge.merged = { sha: merge, fork: false }
    const applied = await apply()
    expect(applied).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Applied, read again and proven') as string,
    })
    expect(note?.body).toContain('**Applied, read again and proven.**')
    expect(forge.notes).toHaveLength(2)

    expect(await night()).toMatchObject({ code: 0 })
    expect(forge.issues).toEqual([])
    await inWorld(folder, ['target', 'us'], async (stripe) => {
      const api = stripe('target')
      const { data } = await api.products.list()
      await api.products.update(data[0]?.id ?? '', { name: '<b>@all</b>' })
    })
    expect([(await night()).code, (await night()).code]).toEqual([2, 2])
    expect(forge.issues).toHaveLength(1)
    expect(forge.issues[0]).toMatchObject({ title: 'Crossbill: drift found something', state: 'opened' })
    expect(forge.issues[0]?.description).not.toMatch(/<b>|@all/)
    expect((await crossbill(['apply', '--yes', '--quiet'], folder)).code).toBe(0)
    expect(await night()).toMatchObject({ code: 0 })
    expect(forge.issues[0]).toMatchObject({ state: 'closed' })
  })

  test.each<[string, string, () => void]>([
    [
      'a tampered artifact whose digest was computed again',
      'plan_not_the_reviewed',
      () => {
        const { plan: _plan, ...rest } = JSON.parse(saved().replaceAll('4900', '100')) as JsonObject
        forge.files.set(9, JSON.stringify({ ...rest, plan: digest(rest) }))
      },
    ],
    ['a tampered artifact', 'plan_altered', () => forge.files.set(9, saved().replaceAll('4900', '100'))],
    ['an artifact that is no plan', 'plan_format', () => forge.files.set(9, 'hello')],
    ['an expired artifact', 'plan_unreadable', () => forge.files.clear()],
    ['a push after the plan', 'plan_of_older_commit', () => (forge.head = 'f'.repeat(40))],
    ['a red job', 'checks_not_green', () => (forge.jobs = forge.jobs.map((one) => ({ ...one, status: 'failed' })))],
    [
      'a job that runs',
      'checks_not_green',
      () => (forge.jobs = forge.jobs.map((one) => ({ ...one, status: 'running' }))),
    ],
    ['no pipeline', 'checks_not_green', () => (forge.jobs = [])],
    ['a merge request of a fork', 'plan_of_fork', () => (forge.merged = { sha: merge, fork: true })],
    ['a commit without a merge request', 'no_pull_request', () => (forge.merged = undefined)],
    [
      'a note that another account wrote',
      'plan_not_reviewed',
      () => {
        const body = forge.notes[0]?.body ?? ''
        forge.notes.length = 0
        forge.note(2, body)
      },
    ],
  ])('refused, and nothing is written: %s', async (_what, code, happens) => {
    await push(second)
    forge.files.set(9, saved())
    forge.merged = { sha: merge, fork: false }
    happens()
    const before = await prices()
    const { code: exit, stderr } = await apply()
    expect({ exit, error: /error (\w+):/.exec(stderr)?.[1] }).toEqual({ exit: 1, error: code })
    expect(await prices()).toBe(before)
  })

  test('a stale plan is refused, and the note says so', async () => {
    await push(second)
    forge.files.set(9, saved())
    forge.merged = { sha: merge, fork: false }
    writeFileSync(join(folder, 'catalog/more.yaml'), 'products:\n  later: { name: Later }\n')
    const before = await prices()
    expect((await apply()).code).toBe(1)
    expect(forge.notes[0]?.body).toContain('**The apply ended with 1.**')
    expect(await prices()).toBe(before)
  })

  test('a fork gets no plan, and no note', async () => {
    expect(await push(first, '6')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pull-request-of-fork') as string,
    })
    expect(forge.requests).toEqual([])
  })
})
