import type { Fetch } from '../../src/stripe/client.ts'

export interface Row {
  readonly id: string
  readonly created: number
}

/** A server with one list that pages as Stripe does: newest first, cursors, `created` ranges. */
export class ListServer {
  rows: Row[]
  requests = 0
  inFlight = 0
  readonly sizes: number[] = []
  /** Called before each answer, with the number of the request. */
  before: (request: number) => Promise<Response | undefined> = () => Promise.resolve(undefined)

  constructor(rows: readonly Row[]) {
    this.rows = [...rows]
  }

  readonly fetch: Fetch = async (input) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.pathname === '/v1/account') return Response.json({ object: 'account', id: 'acct_1' })
    const request = ++this.requests
    const instead = await this.before(request)
    if (instead !== undefined) return instead
    const number = (name: string): number | undefined =>
      url.searchParams.has(name) ? Number(url.searchParams.get(name)) : undefined
    const after = url.searchParams.get('starting_after')
    const sorted = this.rows.toSorted((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1))
    const from = after === null ? 0 : sorted.findIndex(({ id }) => id === after) + 1
    const fit = sorted
      .slice(from)
      .filter(
        ({ created }) => created >= (number('created[gte]') ?? 0) && created <= (number('created[lte]') ?? Infinity),
      )
    const limit = number('limit') ?? 10
    const data = fit.slice(0, limit).map((row) => ({ object: 'subscription', ...row }))
    this.sizes.push(data.length)
    return Response.json({ object: 'list', data, has_more: fit.length > limit })
  }
}
