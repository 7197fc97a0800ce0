import { unzipSync } from 'fflate'
import { isJsonObject, type Json, type JsonObject, textIn } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'
import { planArtifact, planPath, type Check, type Forge, type Note, type Pull } from './forge.ts'
import { openRequests, type Site } from './request.ts'

type Env = Readonly<Record<string, string | undefined>>

/** https://docs.github.com/en/actions/reference/workflows-and-actions/variables */
export interface GithubJob {
  readonly env: Env
  /** The file at GITHUB_EVENT_PATH. */
  readonly event: JsonObject
  readonly wait: Site['wait']
}

/** GitHub's API through the token of a job. https://docs.github.com/en/rest */
export function openGithub({ env, event, wait }: GithubJob): Forge {
  const { GITHUB_REPOSITORY: repository = '', GITHUB_RUN_ID: run = '' } = env
  // The token of a job writes as this account. Notes by other accounts do not count.
  const author = env['CROSSBILL_CI_AUTHOR'] ?? 'github-actions[bot]'
  const requests = openRequests({
    name: 'GitHub',
    base: `${env['GITHUB_API_URL'] ?? 'https://api.github.com'}/repos/${repository}`,
    headers: {
      authorization: `Bearer ${env['GITHUB_TOKEN'] ?? ''}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
    wait,
  })
  const own = (rows: readonly JsonObject[], mark: string): JsonObject | undefined =>
    rows.find((row) => textAt(row, 'user', 'login') === author && textAt(row, 'body').startsWith(mark))
  const pull = isJsonObject(event['pull_request']) ? pullOf(event['pull_request'], repository) : undefined
  return {
    job: { commit: env['GITHUB_SHA'] ?? '', ...(pull === undefined ? {} : { pull }) },
    headOf: async (number) => textAt(await requests.get(`/pulls/${number}`), 'head', 'sha'),
    note: async (number, mark) => noteOf(own(await requests.list(`/issues/${number}/comments`), mark)),
    async writeNote(number, body, id) {
      if (id === undefined) await requests.send('POST', `/issues/${number}/comments`, { body })
      else await requests.send('PATCH', `/issues/comments/${id}`, { body })
    },
    async mergedPull(commit) {
      const rows = await requests.list(`/commits/${commit}/pulls`)
      const merged = rows.find((row) => row['merged_at'] !== null && row['merge_commit_sha'] === commit)
      return merged === undefined ? undefined : pullOf(merged, repository)
    },
    async checks(commit) {
      const runs = await requests.list(`/commits/${commit}/check-runs`, (page) => at(page, 'check_runs') ?? [])
      const statuses = await requests.list(`/commits/${commit}/statuses`)
      return [
        ...runs.filter((one) => !textAt(one, 'details_url').includes(`/runs/${run}/`)).map(checkRun),
        ...newestOf(statuses).map((one): Check => {
          const state = textAt(one, 'state')
          return {
            name: textAt(one, 'context'),
            state: state === 'success' ? 'green' : state === 'pending' ? 'running' : 'red',
          }
        }),
      ]
    },
    async planFile(commit) {
      const found = await requests.list(
        `/actions/artifacts?name=${planArtifact}`,
        (page) => at(page, 'artifacts') ?? [],
      )
      const [newest] = found
        .filter((one) => one['expired'] !== true && textAt(one, 'workflow_run', 'head_sha') === commit)
        .filter((one) => at(one, 'workflow_run', 'head_repository_id') === at(one, 'workflow_run', 'repository_id'))
        .toSorted((a, b) => (textAt(a, 'created_at') < textAt(b, 'created_at') ? 1 : -1))
      if (newest === undefined) return undefined
      const zip = await requests.file(`/actions/artifacts/${String(newest['id'] as number)}/zip`)
      return zip === undefined ? undefined : planIn(zip)
    },
    issue: async (mark) => {
      const rows = await requests.list(`/issues?state=open&creator=${encodeURIComponent(author)}`)
      return noteOf(own(rows, mark), 'number')
    },
    async writeIssue({ title, body }, id) {
      if (id === undefined) await requests.send('POST', '/issues', { title, body })
      else await requests.send('PATCH', `/issues/${id}`, { title, body })
    },
    async closeIssue(id, body) {
      await requests.send('PATCH', `/issues/${id}`, { body, state: 'closed', state_reason: 'completed' })
    },
  }
}

function pullOf(row: JsonObject, repository: string): Pull {
  return {
    number: Number(row['number']),
    head: textAt(row, 'head', 'sha'),
    // The repository of a deleted fork is null.
    isFork: textAt(row, 'head', 'repo', 'full_name').toLowerCase() !== repository.toLowerCase(),
  }
}

function checkRun(one: JsonObject): Check {
  const good = ['success', 'neutral', 'skipped'].includes(textAt(one, 'conclusion'))
  return {
    name: textAt(one, 'name'),
    state: one['status'] === 'completed' ? (good ? 'green' : 'red') : 'running',
  }
}

/** The newest status of each context. GitHub lists the newest first and keeps the older ones. */
function newestOf(statuses: readonly JsonObject[]): readonly JsonObject[] {
  return [...new Map(statuses.toReversed().map((one) => [textAt(one, 'context'), one])).values()]
}

const largestPlan = 64 * 1_024 * 1_024

function planIn(zip: Uint8Array): Uint8Array | undefined {
  const name = planPath.split('/').at(-1) ?? planPath
  try {
    const files = unzipSync(zip, {
      filter: (file) => file.name.split('/').at(-1) === name && file.originalSize <= largestPlan,
    })
    return Object.values(files)[0]
  } catch (error) {
    throw new CommandError('plan_unreadable', 'the artifact with the plan is not a readable archive', {
      notDone: 'nothing was applied',
      fix: 'Run the plan job of the pull request again.',
      cause: error,
    })
  }
}

function noteOf(row: JsonObject | undefined, id = 'id'): Note | undefined {
  return row === undefined ? undefined : { id: String(row[id] as number), body: textAt(row, 'body') }
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, step) => (isJsonObject(inner) ? inner[step] : undefined), value)
}

function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path)
  return textIn(found)
}
