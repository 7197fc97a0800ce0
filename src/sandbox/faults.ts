// Faults of the network and of the services, from a seed: the n-th request of a world with the same
// seed and plan always meets the same fault. 429s and lock time-outs:
// https://docs.stripe.com/rate-limits; stored 500s: https://docs.stripe.com/api/idempotent_requests
import { setTimeout as setTimer } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { instant } from '../core/instant.ts'
import { Context } from './kernel/context.ts'
import { ControlRefusal } from './kernel/control.ts'
import { saveAnswer } from './kernel/idempotency.ts'
import { generator } from './kernel/ids.ts'
import { accountOf } from './kernel/keys.ts'
import type { ControlInput, HttpAnswer, HttpRequest, Module } from './kernel/module.ts'
import type { Row, TableDefinition } from './kernel/tables.ts'
import type { World } from './kernel/world.ts'

export const faultKinds = [
  /** 429 of the rate limiter, with its reason header. Not executed. */
  'rate_limited',
  /** 429 without a reason: the object is locked by another request. Not executed. */
  'lock_timeout',
  /** 500 before the request had any effect; nothing is stored under the idempotency key. */
  'error_before',
  /**
   * 500: the effect is undone, but the answer is stored under the idempotency key and replayed for
   * a day.
   */
  'error_stored',
  /** 500 although the request had its full effect; the answer is stored under the key. */
  'error_after',
  /** 504, and the request is executed later; until then its idempotency key is in use. */
  'late_commit',
  /** 503, not executed. */
  'unavailable',
  /** The connection is cut before the request is read. */
  'cut_before',
  /** The connection is cut after the commit: the answer is lost. */
  'cut_after',
  /** The answer is slow. */
  'slow',
  /** Kajabi: a page of HTML instead of JSON. */
  'html',
  /** Kajabi: a list that has rows answers without them. */
  'empty_page',
  /** A webhook or hook arrives twice. */
  'duplicate',
  /** A webhook or hook arrives after its successors. */
  'reorder',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultPlan {
  /** Default: the seed of the world. */
  readonly seed?: number
  /** Chance of each kind, 0 to 1, per request or delivery it can happen to. */
  readonly rates?: Readonly<Partial<Record<FaultKind, number>>>
  /**
   * Each of these faults happens once: to the `nth` request (from 1) whose method and path match.
   */
  readonly exact?: readonly ExactFault[]
  /** Only requests whose `METHOD /path` contains this. */
  readonly only?: string
  /** How long a slow answer takes; default 25. */
  readonly slowMilliseconds?: number
  /**
   * When a request that was answered 504 is executed. Default: before the third request after it.
   */
  readonly late?: LateCommit
}

/**
 * After this many further requests of any client, simulated seconds, or real milliseconds.
 */
type LateCommit = { readonly requests: number } | { readonly seconds: number } | { readonly milliseconds: number }

interface ExactFault {
  readonly fault: FaultKind
  readonly nth: number
  /** A part of `METHOD /path`; default: everything. */
  readonly match?: string
}

/** Thrown out of the sandbox's fetch in place of an answer; a server cuts the connection. */
export class ConnectionCut extends TypeError {
  override name = 'TypeError'

  constructor() {
    // As undici's fetch reports it: the code sits on the cause.
    super('fetch failed', { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) })
  }
}

/** A request that was answered 504 and is executed later. */
interface LateRow extends Row {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The number of the request before which it is executed. Null: at an instant of the clock. */
  readonly before: number | null
}

const lateRequests: TableDefinition<LateRow> = { name: 'late_requests' }

interface Faults {
  readonly plan: FaultPlan
  /** The number of requests, and how often the pattern of each exact fault matched. */
  requests: number
  deliveries: number
  readonly met: number[]
  readonly injected: { readonly fault: FaultKind; readonly at: string; readonly request: number }[]
}

const running = new WeakMap<World, Faults>()

/** Sets the fault plan of the world; without a plan there are no faults. */
export function setFaults(world: World, plan: FaultPlan | undefined): void {
  if (plan === undefined) running.delete(world)
  else running.set(world, { plan, requests: 0, deliveries: 0, met: (plan.exact ?? []).map(() => 0), injected: [] })
}

export function injectedFaults(world: World): Faults['injected'] {
  return running.get(world)?.injected ?? []
}

const stripeKinds: readonly FaultKind[] = [
  'rate_limited',
  'lock_timeout',
  'error_before',
  'error_stored',
  'error_after',
  'late_commit',
  'unavailable',
  'cut_before',
  'cut_after',
  'slow',
]
const kajabiKinds: readonly FaultKind[] = [
  'rate_limited',
  'unavailable',
  'cut_before',
  'cut_after',
  'slow',
  'html',
  'empty_page',
]

/** Answers a request, with the fault that the plan has for it. */
export async function withFaults(
  world: World,
  request: HttpRequest,
  answer: (delay?: () => Promise<void>) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const faults = running.get(world)
  if (request.url.pathname.startsWith('/_sandbox/')) return answer()
  commitLate(world, faults === undefined ? Number.POSITIVE_INFINITY : faults.requests + 1)
  if (isAwaited(world, request)) {
    if (faults !== undefined) faults.requests++
    return keyInUse(world)
  }
  if (faults === undefined) return answer()
  const kajabi = request.url.pathname.startsWith('/kajabi/')
  const fault = faultFor(world, faults, { request, kinds: kajabi ? kajabiKinds : stripeKinds })
  if (fault === undefined) return answer()
  const { pathname } = request.url
  faults.injected.push({ fault, at: `${request.method} ${pathname}`, request: faults.requests })
  switch (fault) {
    case 'rate_limited':
      return kajabi ? html(429, 'Too Many Requests', { 'retry-after': '1' }) : limited(world)
    case 'lock_timeout':
      return lockTimeout(world)
    case 'error_before':
      return failure(world, 500)
    case 'error_stored':
      store(world, request)
      return failure(world, 500)
    case 'error_after':
      await answer()
      store(world, request)
      return failure(world, 500)
    case 'late_commit':
      if (request.method !== 'GET') keepForLater(world, request, faults)
      return failure(world, 504)
    case 'unavailable':
      return kajabi ? html(503, 'Service Unavailable') : failure(world, 503)
    case 'cut_before':
      throw new ConnectionCut()
    case 'cut_after':
      await answer()
      throw new ConnectionCut()
    case 'slow':
      return answer(async () => {
        await sleep(faults.plan.slowMilliseconds ?? 25)
      })
    case 'html':
      return html(502, 'Bad Gateway')
    case 'empty_page':
      return emptied(await answer())
    case 'duplicate':
    case 'reorder':
      return answer()
  }
}

/**
 * How the n-th delivery of a webhook is sent: how many times, and with how many milliseconds of
 * delay.
 */
export function deliveryFault(world: World, about: string): { times: number; late: number } {
  const faults = running.get(world)
  if (faults === undefined) return { times: 1, late: 0 }
  const n = ++faults.deliveries
  const chance = generator(faults.plan.seed ?? world.seed, `delivery/${n}`)
  const twice = chance() < (faults.plan.rates?.duplicate ?? 0)
  const late = chance() < (faults.plan.rates?.reorder ?? 0)
  if (twice) faults.injected.push({ fault: 'duplicate', at: about, request: n })
  if (late) faults.injected.push({ fault: 'reorder', at: about, request: n })
  return { times: twice ? 2 : 1, late: late ? 5 + Math.floor(chance() * 40) : 0 }
}

function faultFor(
  world: World,
  faults: Faults,
  about: { request: HttpRequest; kinds: readonly FaultKind[] },
): FaultKind | undefined {
  const { plan } = faults
  const what = `${about.request.method} ${about.request.url.pathname}`
  faults.requests++
  let exact: FaultKind | undefined
  for (const [index, entry] of (plan.exact ?? []).entries()) {
    if (!what.includes(entry.match ?? '')) continue
    faults.met[index] = (faults.met[index] ?? 0) + 1
    if (faults.met[index] === entry.nth) exact ??= entry.fault
  }
  if (exact !== undefined) return exact
  if (!what.includes(plan.only ?? '')) return undefined
  let draw = generator(plan.seed ?? world.seed, `request/${faults.requests}`)()
  for (const kind of about.kinds) {
    const rate = plan.rates?.[kind] ?? 0
    if (draw < rate) return kind
    draw -= rate
  }
  return undefined
}

function stripeAnswer(world: World, status: number, error: object, headers: Record<string, string> = {}): HttpAnswer {
  const date = new Date(world.now * 1_000).toUTCString()
  return { status, headers: { 'content-type': 'application/json', date, ...headers }, body: JSON.stringify({ error }) }
}

function limited(world: World): HttpAnswer {
  const message =
    'Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.'
  const error = { type: 'invalid_request_error', code: 'rate_limit', message }
  return stripeAnswer(world, 429, error, { 'stripe-rate-limited-reason': 'global-rate' })
}

function lockTimeout(world: World): HttpAnswer {
  const message =
    'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.'
  return stripeAnswer(world, 429, { type: 'invalid_request_error', code: 'lock_timeout', message })
}

function failure(world: World, status: 500 | 503 | 504): HttpAnswer {
  const message = 'An unknown error occurred'
  return stripeAnswer(world, status, { type: 'api_error', message }, { 'request-id': `req_fault${status}` })
}

/**
 * Stores the 500 under the idempotency key of the request, if it has a key and its account is
 * known.
 */
function store(world: World, request: HttpRequest): void {
  const key = request.headers.get('idempotency-key')
  const bearer = (request.headers.get('authorization') ?? '').replace(/^Bearer /, '')
  const account = [...world.accounts.values()].find((candidate) => candidate.key === bearer)
  if (key === null || account === undefined || request.method !== 'POST') return
  const fingerprint = `${request.method} ${request.url.pathname}\n${request.body}`
  const { body, status } = failure(world, 500)
  world.transact(() =>
    saveAnswer(new Context(world, account), key, { fingerprint, status, body, request: 'req_fault500' }),
  )
}

function html(status: number, title: string, headers: Record<string, string> = {}): HttpAnswer {
  const body = `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body }
}

/** A list without entries, as a site without contacts would answer. */
function emptied(given: HttpAnswer): HttpAnswer {
  if (given.status !== 200 || !given.body.startsWith('{"data":[')) return given
  return { ...given, body: JSON.stringify({ data: [], links: {}, meta: { total_count: 0, total_pages: 1 } }) }
}

/** The rows are kept in the accounts, so that a stored world executes them after it is loaded. */
function* waiting(world: World): Generator<{ readonly context: Context; readonly row: LateRow }> {
  for (const account of world.accounts.values())
    for (const row of account.table(lateRequests).all()) yield { context: new Context(world, account), row }
}

function keepForLater(world: World, request: HttpRequest, faults: Faults): void {
  const account = accountOf(world, request.headers.get('authorization')?.replace('Bearer ', '') ?? '')
  if (account === undefined) return
  const context = new Context(world, account)
  const late = faults.plan.late ?? { requests: 3 }
  const id = `${world.now}/${faults.requests}`
  world.transact(() => {
    account.table(lateRequests).put({
      id,
      created: world.now,
      method: request.method,
      url: request.url.href,
      headers: Object.fromEntries(request.headers),
      body: request.body,
      before: 'requests' in late ? faults.requests + late.requests : null,
    })
    if ('seconds' in late) context.schedule(instant(world.now + late.seconds), 'fault.late_commit', id)
  })
  if ('milliseconds' in late) setTimer(() => runLate(context, id), late.milliseconds).unref()
}

function commitLate(world: World, request: number): void {
  const due = Array.from(waiting(world)).filter(({ row }) => row.before !== null && row.before <= request)
  for (const { context, row } of due) runLate(context, row.id)
}

/**
 * Executes a request that was answered 504. Its answer is stored under its idempotency key; no
 * client receives it now.
 */
function runLate(context: Context, id: string): void {
  const { world } = context
  const row = context.table(lateRequests).get(id)
  if (row === undefined) return
  // What the clock played before stays committed, even if this request fails.
  context.table(lateRequests).delete(id)
  world.commit()
  world.perform?.({ method: row.method, url: new URL(row.url), headers: new Headers(row.headers), body: row.body })
}

/**
 * True when the idempotency key belongs to a request that was answered 504 and is not executed yet.
 */
function isAwaited(world: World, request: HttpRequest): boolean {
  const key = request.headers.get('idempotency-key')
  if (key === null || request.method === 'GET') return false
  for (const { row } of waiting(world))
    if (row.headers['idempotency-key'] === key && row.headers['authorization'] === request.headers.get('authorization'))
      return true
  return false
}

function keyInUse(world: World): HttpAnswer {
  const message = 'There is currently another in-progress request using this Idempotent Key.'
  return stripeAnswer(world, 409, { type: 'invalid_request_error', code: 'idempotency_key_in_use', message })
}

export const faultModule: Module = {
  due: { 'fault.late_commit': { rank: 1, run: runLate } },
  control: {
    'GET faults': (world) => {
      const by: Record<string, number> = {}
      for (const { fault } of injectedFaults(world)) by[fault] = (by[fault] ?? 0) + 1
      return { injected: injectedFaults(world).length, by }
    },
    'POST faults': (world, input) => {
      setFaults(world, Object.keys(input).length === 0 ? undefined : planFrom(input))
      return {}
    },
  },
}

function planFrom(input: ControlInput): FaultPlan {
  const known = new Set(['seed', 'rates', 'exact', 'only', 'slowMilliseconds', 'late'])
  const stranger = Object.keys(input).find((name) => !known.has(name))
  if (stranger !== undefined) throw new ControlRefusal(`a fault plan has no option "${stranger}"`)
  const plan = input as FaultPlan
  const kinds = [...Object.keys(plan.rates ?? {}), ...(plan.exact ?? []).map((entry) => entry.fault)]
  const unknown = kinds.find((kind) => !faultKinds.some((fault) => fault === kind))
  if (unknown !== undefined)
    throw new ControlRefusal(`there is no fault "${unknown}"; the faults are: ${faultKinds.join(', ')}`)
  return plan
}
