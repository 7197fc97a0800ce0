import type { JsonObject } from '../core/json.ts'
import { planArtifact, planPath, type Check, type Forge, type Note, type Pull } from './forge.ts'
import { openRequests, type Site } from './request.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * GitLab's API through a project access token, because the token of a job may not write notes.
 * https://docs.gitlab.com/api/rest/, https://docs.gitlab.com/ci/variables/predefined_variables/
 */
export function openGitlab({ env, wait }: { readonly env: Env; readonly wait: Site['wait'] }): Forge {
  const project = env['CI_PROJECT_ID'] ?? ''
  const requests = openRequests({
    name: 'GitLab',
    base: env['CI_API_V4_URL'] ?? 'https://gitlab.com/api/v4',
    headers: { 'private-token': env['CROSSBILL_GITLAB_TOKEN'] ?? '' },
    wait,
  })
  const here = `/projects/${project}`
  let user: Promise<number> | undefined
  const self = async (): Promise<number> => {
    user ??= requests.get('/user').then((found) => Number((found as JsonObject)['id']))
    return await user
  }
  const own = async (rows: readonly JsonObject[], mark: string, text: string): Promise<JsonObject | undefined> => {
    const author = await self()
    return rows.find(
      (row) => (row['author'] as JsonObject | null)?.['id'] === author && String(row[text] as string).startsWith(mark),
    )
  }
  const pipelineOf = async (commit: string): Promise<JsonObject | undefined> => {
    const rows = await requests.list(`${here}/pipelines?sha=${commit}&source=merge_request_event`)
    return rows.toSorted((a, b) => Number(b['id']) - Number(a['id']))[0]
  }
  const jobsOf = async (commit: string): Promise<readonly JsonObject[]> => {
    const pipeline = await pipelineOf(commit)
    return pipeline === undefined
      ? []
      : await requests.list(`${here}/pipelines/${String(pipeline['id'] as number)}/jobs`)
  }
  const pull = pullOfJob(env)
  return {
    job: { commit: env['CI_COMMIT_SHA'] ?? '', ...(pull === undefined ? {} : { pull }) },
    async headOf(number) {
      const found = (await requests.get(`${here}/merge_requests/${number}`)) as JsonObject
      return String(found['sha'] as string)
    },
    async note(number, mark) {
      const rows = await requests.list(`${here}/merge_requests/${number}/notes?sort=asc&order_by=created_at`)
      return noteOf(await own(rows, mark, 'body'), 'id', 'body')
    },
    async writeNote(number, body, id) {
      const notes = `${here}/merge_requests/${number}/notes`
      if (id === undefined) await requests.send('POST', notes, { body })
      else await requests.send('PUT', `${notes}/${id}`, { body })
    },
    async mergedPull(commit) {
      const rows = await requests.list(`${here}/repository/commits/${commit}/merge_requests`)
      const merged = rows.find(
        (row) =>
          row['state'] === 'merged' && [row['merge_commit_sha'], row['squash_commit_sha'], row['sha']].includes(commit),
      )
      if (merged === undefined) return undefined
      return {
        number: Number(merged['iid']),
        head: String(merged['sha'] as string),
        isFork: merged['source_project_id'] !== merged['target_project_id'],
      }
    },
    checks: async (commit) => (await jobsOf(commit)).filter((job) => job['allow_failure'] !== true).map(checkOf),
    async planFile(commit) {
      const job = (await jobsOf(commit)).find((one) => one['name'] === planArtifact)
      if (job === undefined) return undefined
      return await requests.file(`${here}/jobs/${String(job['id'] as number)}/artifacts/${planPath}`)
    },
    async issue(mark) {
      const rows = await requests.list(`${here}/issues?state=opened&author_id=${await self()}&sort=asc`)
      return noteOf(await own(rows, mark, 'description'), 'iid', 'description')
    },
    async writeIssue({ title, body }, id) {
      const issue = { title, description: body }
      if (id === undefined) await requests.send('POST', `${here}/issues`, issue)
      else await requests.send('PUT', `${here}/issues/${id}`, issue)
    },
    async closeIssue(id, body) {
      await requests.send('PUT', `${here}/issues/${id}`, { description: body, state_event: 'close' })
    },
  }
}

function pullOfJob(env: Env): Pull | undefined {
  const number = env['CI_MERGE_REQUEST_IID']
  if (number === undefined || number === '') return undefined
  // In a pipeline of the merged result, CI_COMMIT_SHA is the merge and not the newest commit.
  const head = env['CI_MERGE_REQUEST_SOURCE_BRANCH_SHA']
  return {
    number: Number(number),
    head: head === undefined || head === '' ? (env['CI_COMMIT_SHA'] ?? '') : head,
    isFork: env['CI_MERGE_REQUEST_SOURCE_PROJECT_ID'] !== env['CI_MERGE_REQUEST_PROJECT_ID'],
  }
}

function checkOf(job: JsonObject): Check {
  const status = String(job['status'] as string)
  const isOver = ['success', 'skipped', 'failed', 'canceled'].includes(status)
  const isGreen = status === 'success' || status === 'skipped'
  // A manual job waits for a person and blocks nothing, so it counts as green.
  const state = isGreen || status === 'manual' ? 'green' : isOver ? 'red' : 'running'
  return { name: String(job['name'] as string), state }
}

function noteOf(row: JsonObject | undefined, id: string, text: string): Note | undefined {
  return row === undefined ? undefined : { id: String(row[id] as number), body: String(row[text] as string) }
}
