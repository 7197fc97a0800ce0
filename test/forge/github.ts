import { strToU8, zipSync } from 'fflate'
import nock from 'nock'

interface Row {
  readonly id: number
  readonly author: string
  body: string
}

interface Issue extends Row {
  title: string
  state: string
}

/** A stand-in of GitHub's API for one repository, as its documentation describes it. */
export class StandInGithub {
  readonly comments: Row[] = []
  readonly issues: Issue[] = []
  readonly requests: string[] = []
  checks: { name: string; status: string; conclusion: string | null; details_url: string }[] = []
  artifacts: { id: number; head: string; file: string; fork?: boolean; expired?: boolean }[] = []
  head = ''
  merged: { sha: string; fork: boolean } | undefined
  /** Answers of this many next requests are 502. */
  failing = 0
  #next = 100

  constructor() {
    const api = nock('https://api.github.com').persist()
    for (const method of ['GET', 'POST', 'PATCH'] as const)
      api.intercept(/^\/repos\/school\/billing\//, method).reply(async (request: Request) => {
        const url = new URL(request.url)
        const path = url.pathname.replace('/repos/school/billing', '')
        this.requests.push(`${method} ${path}`)
        if (this.failing > 0) {
          this.failing -= 1
          return [502, '']
        }
        const text = method === 'GET' ? '{}' : await request.clone().text()
        const answer = this.#answer(`${method} ${path}`, JSON.parse(text) as Record<string, string>)
        const page = Number(url.searchParams.get('page') ?? 1)
        if (Array.isArray(answer)) return [200, answer.slice((page - 1) * 100, page * 100)]
        return answer === undefined ? [404, {}] : [200, answer]
      })
  }

  comment(author: string, body: string): Row {
    const row = { id: this.#next++, author, body }
    this.comments.push(row)
    return row
  }

  #answer(line: string, body: Record<string, string>): object | Buffer | undefined {
    const number = /(\d+)(?:\/zip)?$/.exec(line)?.[1]
    if (/^GET \/pulls\/7$/.test(line)) return { number: 7, head: { sha: this.head } }
    if (/^GET \/issues\/7\/comments$/.test(line)) return this.comments.map(rendered)
    if (/^POST \/issues\/7\/comments$/.test(line)) return this.comment(bot, body['body'] ?? '')
    if (line.startsWith('PATCH /issues/comments/')) return this.#change(this.comments, number, body)
    if (/^GET \/commits\/\w+\/pulls$/.test(line)) return this.#pulls(line.split('/')[2] ?? '')
    if (line.endsWith('/check-runs')) return { total_count: this.checks.length, check_runs: this.checks }
    if (line.endsWith('/statuses')) return []
    if (/^GET \/actions\/artifacts$/.test(line)) return { artifacts: this.artifacts.map(artifactRow) }
    if (line.endsWith('/zip')) return this.#zip(Number(number))
    if (/^GET \/issues$/.test(line)) return this.issues.filter(({ state }) => state === 'open').map(rendered)
    if (/^POST \/issues$/.test(line)) {
      const id = this.#next++
      this.issues.push({ id, author: bot, body: body['body'] ?? '', title: body['title'] ?? '', state: 'open' })
      return {}
    }
    if (/^PATCH \/issues\/\d+$/.test(line)) return this.#change(this.issues, number, body)
    return undefined
  }

  #change(rows: Row[], id: string | undefined, body: Record<string, string>): object | undefined {
    const row = rows.find((one) => one.id === Number(id))
    return row === undefined ? undefined : Object.assign(row, body)
  }

  #pulls(commit: string): object {
    if (this.merged?.sha !== commit) return []
    const full_name = this.merged.fork ? 'stranger/billing' : 'school/billing'
    return [
      {
        number: 7,
        merged_at: '2026-12-01T12:00:00Z',
        merge_commit_sha: commit,
        head: { sha: this.head, repo: { full_name } },
      },
    ]
  }

  #zip(id: number): Buffer | undefined {
    const found = this.artifacts.find((one) => one.id === id)
    return found === undefined ? undefined : Buffer.from(zipSync({ 'ci.plan.json': strToU8(found.file) }))
  }
}

const bot = 'github-actions[bot]'

function rendered(row: Row | Issue): object {
  return { ...row, number: row.id, user: { login: row.author } }
}

function artifactRow({ id, head, fork = false, expired = false }: StandInGithub['artifacts'][number]): object {
  return {
    id,
    name: 'crossbill-plan',
    expired,
    created_at: `2026-12-01T12:00:${String(id).padStart(2, '0')}Z`,
    workflow_run: { id, head_sha: head, repository_id: 1, head_repository_id: fork ? 2 : 1 },
  }
}
