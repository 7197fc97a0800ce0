import nock from 'nock'

interface Row {
  readonly id: number
  readonly author: { readonly id: number }
  body: string
}

interface Issue {
  readonly iid: number
  readonly author: { readonly id: number }
  title: string
  description: string
  state: string
}

interface Job {
  readonly id: number
  readonly name: string
  status: string
}

/** The user of the project's access token. */
const bot = { id: 50 }

/** A stand-in of GitLab's API for one project, as its documentation describes it. */
export class StandInGitlab {
  readonly notes: Row[] = []
  readonly issues: Issue[] = []
  readonly requests: string[] = []
  /** The jobs of the merge request's newest pipeline. */
  jobs: Job[] = []
  /** The plan file that the job `crossbill-plan` kept, by the job's id. */
  readonly files = new Map<number, string>()
  head = ''
  merged: { sha: string; fork: boolean } | undefined
  #next = 100

  constructor() {
    const api = nock('https://gitlab.example', { reqheaders: { 'private-token': 'token' } }).persist()
    for (const method of ['GET', 'POST', 'PUT'] as const)
      api.intercept(/^\/api\/v4\//, method).reply(async (request: Request) => {
        const url = new URL(request.url)
        const path = url.pathname.replace('/api/v4', '').replace('/projects/5', '')
        this.requests.push(`${method} ${path}`)
        const text = method === 'GET' ? '{}' : await request.clone().text()
        const answer = this.#answer(`${method} ${path}`, JSON.parse(text) as Record<string, string>)
        const page = Number(url.searchParams.get('page') ?? 1)
        if (Array.isArray(answer)) return [200, answer.slice((page - 1) * 100, page * 100)]
        return answer === undefined ? [404, {}] : [200, answer]
      })
  }

  note(author: number, body: string): Row {
    const row = { id: this.#next++, author: { id: author }, body }
    this.notes.push(row)
    return row
  }

  #answer(line: string, body: Record<string, string>): object | string | undefined {
    const number = Number(/(\d+)$/.exec(line)?.[1])
    if (line === 'GET /user') return bot
    if (line === 'GET /merge_requests/7') return { iid: 7, sha: this.head }
    if (line === 'GET /merge_requests/7/notes') return this.notes
    if (line === 'POST /merge_requests/7/notes') return this.note(bot.id, body['body'] ?? '')
    if (line.startsWith('PUT /merge_requests/7/notes/')) return change(this.notes, 'id', number, body)
    if (/^GET \/repository\/commits\/\w+\/merge_requests$/.test(line)) return this.#merged(line.split('/')[3] ?? '')
    if (line === 'GET /pipelines') return [{ id: 3 }, { id: 2 }]
    if (line === 'GET /pipelines/3/jobs') return this.jobs
    if (/^GET \/jobs\/\d+\/artifacts\/plans\/ci\.plan\.json$/.test(line))
      return this.files.get(Number(line.split('/')[2]))
    if (line === 'GET /issues') return this.issues.filter(({ state }) => state === 'opened')
    if (line === 'POST /issues') {
      const { title = '', description = '' } = body
      this.issues.push({ iid: this.#next++, author: bot, title, description, state: 'opened' })
      return {}
    }
    if (line.startsWith('PUT /issues/')) {
      const { state_event: event, ...rest } = body
      return change(this.issues, 'iid', number, event === 'close' ? { ...rest, state: 'closed' } : rest)
    }
    return undefined
  }

  #merged(commit: string): object {
    if (this.merged?.sha !== commit) return []
    return [
      {
        iid: 7,
        state: 'merged',
        merge_commit_sha: commit,
        sha: this.head,
        source_project_id: this.merged.fork ? 6 : 5,
        target_project_id: 5,
      },
    ]
  }
}

function change<T extends object>(rows: readonly T[], key: keyof T, id: number, body: object): object | undefined {
  const row = rows.find((one) => one[key] === id)
  return row === undefined ? undefined : Object.assign(row, body)
}
