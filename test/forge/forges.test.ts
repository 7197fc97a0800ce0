import nock from 'nock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openGithub } from '../../src/forge/github.ts'
import { openGitlab } from '../../src/forge/gitlab.ts'
import { planNote, readPlanMark } from '../../src/cli/render/ci-note.ts'

const head = 'a'.repeat(40)
const waits: number[] = []
const wait = async (seconds: number): Promise<void> => void waits.push(seconds)

beforeEach(() => {
  nock.disableNetConnect()
  waits.length = 0
})
afterEach(() => {
  const pending = nock.pendingMocks()
  nock.cleanAll()
  nock.enableNetConnect()
  if (pending.length > 0) throw new Error(`not requested: ${pending.join(', ')}`)
})

describe('GitLab', () => {
  const env = {
    CI_API_V4_URL: 'https://gitlab.example/api/v4',
    CI_PROJECT_ID: '5',
    CI_COMMIT_SHA: head,
    CI_MERGE_REQUEST_IID: '7',
    CI_MERGE_REQUEST_PROJECT_ID: '5',
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '5',
    CROSSBILL_GITLAB_TOKEN: 'token',
  }
  const api = () => nock('https://gitlab.example/api/v4', { reqheaders: { 'private-token': 'token' } })
  const forge = openGitlab({ env, wait })

  test('knows its merge request, and one of a fork', () => {
    expect(forge.job.pull).toEqual({ number: 7, head, isFork: false })
    const fork = openGitlab({ env: { ...env, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '6' }, wait })
    expect(fork.job.pull?.isFork).toBe(true)
    expect(openGitlab({ env: { ...env, CI_MERGE_REQUEST_IID: '' }, wait }).job.pull).toBeUndefined()
  })

  test('believes its own note alone, and updates it', async () => {
    api().get('/user').reply(200, { id: 9 })
    api()
      .get('/projects/5/merge_requests/7/notes')
      .query(true)
      .reply(200, [
        { id: 1, author: { id: 4 }, body: 'mark of a stranger' },
        { id: 2, author: { id: 9 }, body: 'mark of mine' },
      ])
    expect(await forge.note(7, 'mark')).toEqual({ id: '2', body: 'mark of mine' })
    api().put('/projects/5/merge_requests/7/notes/2', { body: 'x' }).reply(200, {})
    await forge.writeNote(7, 'x', '2')
  })

  test('reads checks and the plan of the newest pipeline of the commit', async () => {
    const pipelines = () =>
      api()
        .get('/projects/5/pipelines')
        .query(true)
        .reply(200, [{ id: 20 }, { id: 21 }])
    const jobs = [
      { id: 31, name: 'crossbill-plan', status: 'success', allow_failure: false },
      { id: 32, name: 'test', status: 'failed', allow_failure: false },
      { id: 33, name: 'slow', status: 'running', allow_failure: false },
      { id: 34, name: 'optional', status: 'failed', allow_failure: true },
    ]
    const listed = () => api().get('/projects/5/pipelines/21/jobs').query(true).reply(200, jobs)
    pipelines()
    listed()
    expect(await forge.checks(head)).toEqual([
      { name: 'crossbill-plan', state: 'green' },
      { name: 'test', state: 'red' },
      { name: 'slow', state: 'running' },
    ])
    pipelines()
    listed()
    api().get('/projects/5/jobs/31/artifacts/plans/ci.plan.json').reply(200, '{"format":1}')
    expect(Buffer.from((await forge.planFile(head)) ?? []).toString()).toBe('{"format":1}')
  })

  test.each([
    ['merge commit', { merge_commit_sha: 'm' }],
    ['squash commit', { squash_commit_sha: 'm' }],
    ['fast-forward', { sha: 'm' }],
  ])('finds the merge request of a %s', async (_how, fields) => {
    const row = { iid: 7, state: 'merged', sha: head, source_project_id: 5, target_project_id: 5, ...fields }
    api()
      .get('/projects/5/repository/commits/m/merge_requests')
      .query(true)
      .reply(200, [{ ...row, state: 'opened' }, row])
    expect(await forge.mergedPull('m')).toEqual({ number: 7, head: row.sha, isFork: false })
  })
})

describe('requests to a forge', () => {
  const github = openGithub({ env: { GITHUB_REPOSITORY: 'o/r' }, event: {}, wait })
  const api = () => nock('https://api.github.com')

  test('a read is repeated while the forge is away, and waits as long as it is asked to', async () => {
    api().get('/repos/o/r/pulls/7').reply(503)
    api().get('/repos/o/r/pulls/7').reply(429, '', { 'retry-after': '7' })
    api()
      .get('/repos/o/r/pulls/7')
      .reply(200, { head: { sha: head } })
    expect(await github.headOf(7)).toBe(head)
    expect(waits).toEqual([1, 7])
  })

  test('a note whose creation has an unknown outcome is not written twice', async () => {
    api().post('/repos/o/r/issues/7/comments').reply(502)
    await expect(github.writeNote(7, 'x', undefined)).rejects.toMatchObject({ code: 'forge_unreachable' })
    expect(waits).toEqual([])
  })

  test('a missing permission is named', async () => {
    api().get('/repos/o/r/pulls/7').reply(403, { message: 'Resource not accessible by integration' })
    await expect(github.headOf(7)).rejects.toMatchObject({ code: 'forge_refused', message: /GET \/pulls\/7 with 403/ })
  })

  test('a list is read to its end', async () => {
    const row = (id: number) => ({ id, user: { login: 'github-actions[bot]' }, body: `b${id}` })
    const rows = Array.from({ length: 101 }, (_, at) => row(at))
    for (const page of [1, 2])
      api()
        .get('/repos/o/r/issues/7/comments')
        .query({ per_page: 100, page })
        .reply(200, rows.slice((page - 1) * 100, page * 100))
    expect(await github.note(7, 'b100')).toEqual({ id: '100', body: 'b100' })
  })
})

describe('the mark of a note', () => {
  const digest = 'd'.repeat(64)

  test('comes back as it was written', () => {
    expect(readPlanMark('a', planNote('a', { commit: head, digest }, 's', 'b'))).toEqual({ commit: head, digest })
    expect(readPlanMark('a', planNote('a', { commit: head }, 's', 'b'))).toEqual({ commit: head })
  })

  test.each([
    ['of another project', planNote('b', { commit: head, digest }, 's', 'b')],
    ['below the first line', `x\n${planNote('a', { commit: head, digest }, 's', 'b')}`],
    ['with something behind it', planNote('a', { commit: head, digest }, 's', 'b').replace(' -->', ' x -->')],
  ])('one %s does not count', (_what, body) => {
    expect(readPlanMark('a', body)).toBeUndefined()
  })
})
