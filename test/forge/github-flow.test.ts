import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import nock from 'nock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digest } from '../../src/core/canonical.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { crossbill, type Ran } from '../cli/crossbill.ts'
import { copyProject, inWorld } from '../cli/project-world.ts'
import { StandInGithub } from './github.ts'

const commits = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40))
const [first = '', second = '', merge = ''] = commits

describe('the pull-request flow on GitHub', () => {
  let forge: StandInGithub
  let folder = ''
  let events = ''
  beforeEach(() => {
    nock.disableNetConnect()
    forge = new StandInGithub()
    folder = copyProject('small')
    events = mkdtempSync(join(tmpdir(), 'crossbill-events-'))
  })
  afterEach(() => {
    nock.cleanAll()
    nock.enableNetConnect()
    rmSync(folder, { recursive: true, force: true })
    rmSync(events, { recursive: true, force: true })
  })

  const job = async (command: string, commit: string, event: JsonObject = {}): Promise<Ran> => {
    const path = join(events, 'event.json')
    writeFileSync(path, JSON.stringify(event))
    return await crossbill(['ci', command, '--quiet'], folder, {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'school/billing',
      GITHUB_TOKEN: 'token',
      GITHUB_RUN_ID: '1',
      GITHUB_SHA: commit,
      GITHUB_EVENT_PATH: path,
    })
  }
  const push = async (head: string, from = 'school/billing'): Promise<Ran> => {
    forge.head = head
    const ran = await job('plan', 'e'.repeat(40), {
      pull_request: { number: 7, head: { sha: head, repo: { full_name: from } } },
    })
    forge.checks = [{ name: 'plan', status: 'completed', conclusion: 'success', details_url: '/runs/5/job/1' }]
    return ran
  }
  const saved = (): string => readFileSync(join(folder, 'plans/ci.plan.json'), 'utf8')
  const upload = (head: string, file = saved()): void => {
    forge.artifacts.push({ id: forge.artifacts.length + 1, head, file })
  }
  /** A reviewed pull request that was merged: the note, the artifact and green checks are there. */
  const reviewed = async (): Promise<void> => {
    await push(second)
    upload(second)
    forge.merged = { sha: merge, fork: false }
  }
  const price = async (): Promise<number> =>
    await inWorld(folder, ['target', 'us'], async (stripe) => {
      const { data } = await stripe('target').prices.list({ limit: 100 })
      return data.length
    })

  test('two pushes have one note; the merge applies its plan; the night has one issue', async () => {
    forge.comment('somebody', 'Nice!')
    expect(await push(first)).toMatchObject({ code: 0 })
    const note = forge.comments[1]
    expect(note?.body).toContain('**Can be applied')
    const prices = join(folder, 'catalog/prices.yaml')
    writeFileSync(prices, readFileSync(prices, 'utf8').replace('4900', '5900'))
    expect(await push(second)).toMatchObject({ code: 0 })
    expect(forge.comments).toHaveLength(2)
    expect(note?.body).toContain(`commit=${second}`)
    expect(note?.body).toContain('59.00 usd')
    upload(second)

    forge.merged = { sha: merge, fork: false }
    const applied = await job('apply', merge)
    expect(applied).toMatchObject({ code: 0 })
    expect(applied.stdout).toContain('Applied, read again and proven')
    expect(note?.body).toContain('**Applied, read again and proven.**')
    expect(forge.comments).toHaveLength(2)
    const stood = note?.body
    // The job is run again: the note of a merged pull request stays what it is.
    expect(await job('apply', merge)).toMatchObject({ code: 0 })
    expect(note?.body?.split('\n').slice(0, 3)).toEqual(stood?.split('\n').slice(0, 3))

    expect(await job('night', merge)).toMatchObject({ code: 0 })
    expect(forge.issues).toEqual([])
    await inWorld(folder, ['target', 'us'], async (stripe) => {
      const api = stripe('target')
      const { data } = await api.products.list()
      await api.products.update(data[0]?.id ?? '', { name: '<b>@everyone</b>' })
    })
    expect(await job('night', merge)).toMatchObject({ code: 2 })
    expect(await job('night', merge)).toMatchObject({ code: 2 })
    expect(forge.issues).toHaveLength(1)
    expect(forge.issues[0]).toMatchObject({ title: 'Crossbill: drift found something', state: 'open' })
    expect(forge.issues[0]?.body).toContain('changed_outside')
    expect(forge.issues[0]?.body).not.toMatch(/<b>|@everyone/)
    expect((await crossbill(['apply', '--yes', '--quiet'], folder)).code).toBe(0)
    expect(await job('night', merge)).toMatchObject({ code: 0 })
    expect(forge.issues[0]).toMatchObject({ state: 'closed' })
  })

  test('a signing secret is not written to the disk of a job', async () => {
    writeFileSync(
      join(folder, 'catalog/webhooks.yaml'),
      "webhook_endpoints:\n  w: { url: 'https://x.example/w', enabled_events: [invoice.paid], secret_to: { file: w.secret } }\n",
    )
    expect(await push(second)).toMatchObject({ code: 2 })
    expect(forge.comments[0]?.body).toContain(
      '**ci apply will not apply it:** the signing secret of webhook_endpoint.w',
    )
    upload(second)
    forge.merged = { sha: merge, fork: false }
    const applied = await job('apply', merge)
    expect(applied.code).toBe(1)
    expect(applied.stderr).toContain('the signing secret of webhook_endpoint.w')
    const endpoints = await inWorld(folder, ['target', 'us'], async (stripe) =>
      stripe('target').webhookEndpoints.list(),
    )
    expect(endpoints.data).toEqual([])
  })

  test.each<[string, string, () => void]>([
    [
      'a tampered artifact whose digest was computed again',
      'plan_not_the_reviewed',
      () => {
        const { plan: _plan, ...rest } = JSON.parse(saved().replaceAll('4900', '100')) as JsonObject
        upload(second, JSON.stringify({ ...rest, plan: digest(rest) }))
      },
    ],
    ['a tampered artifact', 'plan_altered', () => upload(second, saved().replaceAll('4900', '100'))],
    ['an artifact that is no plan', 'plan_format', () => upload(second, 'hello')],
    [
      'the artifact of a fork',
      'plan_unreadable',
      () => (forge.artifacts = [{ id: 1, head: second, file: saved(), fork: true }]),
    ],
    [
      'an expired artifact',
      'plan_unreadable',
      () => (forge.artifacts = [{ id: 1, head: second, file: saved(), expired: true }]),
    ],
    ['a push after the plan', 'plan_of_older_commit', () => (forge.head = 'f'.repeat(40))],
    [
      'a red check',
      'checks_not_green',
      () => (forge.checks = forge.checks.map((one) => ({ ...one, conclusion: 'failure' }))),
    ],
    [
      'a check that runs',
      'checks_not_green',
      () => (forge.checks = forge.checks.map((one) => ({ ...one, status: 'in_progress' }))),
    ],
    ['no checks', 'checks_not_green', () => (forge.checks = [])],
    ['a pull request of a fork', 'plan_of_fork', () => (forge.merged = { sha: merge, fork: true })],
    ['a commit without a pull request', 'no_pull_request', () => (forge.merged = undefined)],
    [
      'a note that another account wrote',
      'plan_not_reviewed',
      () => {
        const body = forge.comments[0]?.body ?? ''
        forge.comments.length = 0
        forge.comment('stranger', body)
      },
    ],
  ])('refused, and nothing is written: %s', async (_what, code, happens) => {
    await reviewed()
    happens()
    const before = await price()
    const { code: exit, stderr } = await job('apply', merge)
    expect({ exit, error: /error (\w+):/.exec(stderr)?.[1] }).toEqual({ exit: 1, error: code })
    expect(await price()).toBe(before)
    const own = forge.comments.find(({ author }) => author.endsWith('[bot]'))
    // Without an own note of a plan there is no place to say it.
    const isSaid = own?.body.includes('**Not applied.** Nothing was changed.') === true
    expect(isSaid).toBe(!['plan_of_fork', 'no_pull_request', 'plan_not_reviewed'].includes(code))
  })

  test('a stale plan is refused, and the note says so', async () => {
    await reviewed()
    writeFileSync(join(folder, 'catalog/more.yaml'), 'products:\n  later: { name: Later }\n')
    const before = await price()
    const { code } = await job('apply', merge)
    expect(code).toBe(1)
    expect(forge.comments[0]?.body).toContain('**The apply ended with 1.**')
    expect(await price()).toBe(before)
  })

  test.each(['plan', 'apply'])('ci %s replaces no file that is not a plan', async (command) => {
    await reviewed()
    const path = join(folder, 'plans/ci.plan.json')
    writeFileSync(path, 'mine\n')
    const before = await price()
    const ran = command === 'plan' ? await push(second) : await job('apply', merge)
    expect({ code: ran.code, error: /error (\w+):/.exec(ran.stderr)?.[1] }).toEqual({ code: 1, error: 'out_taken' })
    expect(readFileSync(path, 'utf8')).toBe('mine\n')
    expect(await price()).toBe(before)
    expect(forge.comments[0]?.body).toContain(command === 'plan' ? '**There is no plan of' : '**Not applied.**')
  })

  test('a fork gets no plan, and no note', async () => {
    const { code, stderr } = await push(first, 'stranger/billing')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pull-request-of-fork') as string,
    })
    expect(forge.requests).toEqual([])
  })

  test('a push that does not plan leaves no older plan to apply', async () => {
    await push(first)
    const project = join(folder, 'catalog/project.yaml')
    writeFileSync(project, readFileSync(project, 'utf8').replace('accounts:', 'acounts:'))
    expect((await push(second)).code).toBe(1)
    expect(forge.comments).toHaveLength(1)
    expect(forge.comments[0]?.body).toContain('**There is no plan of')
    expect(forge.comments[0]?.body).not.toContain('digest=')
  })

  test('a job that is overtaken by a newer push leaves the note alone', async () => {
    await push(second)
    const body = forge.comments[0]?.body
    const late = await job('plan', first, {
      pull_request: { number: 7, head: { sha: first, repo: { full_name: 'school/billing' } } },
    })
    expect(late.code).toBe(0)
    expect(forge.comments.map((one) => one.body)).toEqual([body])
  })

  test('outside of CI it says where it runs', async () => {
    const { code, stderr } = await crossbill(['ci', 'plan', '--quiet'], folder)
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('not-in-ci') as string })
  })
})
