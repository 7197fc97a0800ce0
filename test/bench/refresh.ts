import { connectAccount } from '../../src/stripe/account.ts'
import { VirtualTime } from '../stripe/virtual-time.ts'
import { milliseconds, type Figure } from './figure.ts'

const subscriptions = 100_000
const pageMilliseconds = 200
const perSecond = 25

/**
 * Reads lists of a large account from a server with delays; the rate limit, not the delays, should
 * determine the time. The clock is virtual.
 */
export async function refresh(): Promise<Figure> {
  const time = new VirtualTime()
  const connecting = connectAccount({
    name: 'us',
    key: 'sk_test_bench',
    fetch: slowServer(time),
    timing: time,
    rates: { account: perSecond, operation: perSecond },
  })
  const account = await time.run(connecting)
  const began = time.milliseconds()
  const value = await time.run(countOf(account.list('/v1/subscriptions', { status: 'all' })))
  const took = time.milliseconds() - began
  const bound = ((subscriptions / 100) * 1_000) / perSecond
  return {
    what: `refresh of ${value} subscriptions, ${pageMilliseconds} ms a page, ${perSecond}/s allowed`,
    reach: `≤ 1.1 × the limiter's bound (${milliseconds(bound)})`,
    measured: `${milliseconds(took)} (${(took / bound).toFixed(2)} ×)`,
    ok: value === subscriptions && took <= bound * 1.1,
  }
}

async function countOf(all: AsyncIterable<unknown>): Promise<number> {
  let seen = 0
  for await (const _ of all) seen++
  return seen
}

const first = 1_600_000_000
const span = 100_000_000

/**
 * Subscriptions spread evenly over three years of `created`, newest first, with Stripe's filters
 * and cursors.
 */
const slowServer =
  (time: VirtualTime): typeof fetch =>
  async (input) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const headers = { date: new Date((first + span) * 1_000).toUTCString() }
    if (url.pathname === '/v1/account') return Response.json({ id: 'acct_bench', object: 'account' }, { headers })
    await time.sleep(pageMilliseconds)
    const asked = url.searchParams
    const newest = Math.min(subscriptions - 1, before(asked))
    const oldest = after(asked)
    const limit = Number(asked.get('limit') ?? 10)
    const from = asked.has('starting_after')
      ? Math.min(newest, Number(asked.get('starting_after')?.slice(4)) - 1)
      : newest
    const ids = Array.from({ length: Math.max(0, Math.min(limit, from - oldest + 1)) }, (_, index) => from - index)
    const data = ids.map((id) => ({ id: `sub_${id}`, object: 'subscription', created: createdAt(id) }))
    return Response.json({ object: 'list', data, has_more: from - limit >= oldest, url: url.pathname }, { headers })
  }

function createdAt(id: number): number {
  return first + Math.floor((id * span) / subscriptions)
}

function before(asked: URLSearchParams): number {
  const lt = asked.get('created[lt]') ?? undefined
  const lte = asked.get('created[lte]') ?? undefined
  const limit = lt !== undefined ? Number(lt) - 1 : lte === undefined ? first + span : Number(lte)
  let id = Math.ceil(((limit - first + 1) * subscriptions) / span)
  while (id > 0 && createdAt(id) > limit) id--
  return id
}

function after(asked: URLSearchParams): number {
  const gte = asked.get('created[gte]') ?? undefined
  const gt = asked.get('created[gt]') ?? undefined
  const limit = gt !== undefined ? Number(gt) + 1 : gte === undefined ? 0 : Number(gte)
  let id = Math.max(0, Math.floor(((limit - first) * subscriptions) / span) - 1)
  while (id < subscriptions && createdAt(id) < limit) id++
  return id
}
