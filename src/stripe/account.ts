import { setTimeout as sleep } from 'node:timers/promises'
import Stripe from 'stripe'
import { assert } from '../core/assert.ts'
import { instant } from '../core/instant.ts'
import { isJsonObject, objectIn, type StripeObject } from '../core/json.ts'
import { CommandError, failed, success, type Failure, type Outcome } from '../core/outcome.ts'
import type { StripeAccount, StripeRequest } from '../engine/ports.ts'
import { notAnAnswerCode, stripeClient, type Fetch } from './client.ts'
import { answeredClock } from './clock.ts'
import { readFailure } from './failures.ts'
import { createLimits, operationName, stripeRates, type Limits, type Rates, type Timing } from './limits.ts'
import { type ListSource, pauses, readList, readOne, readPatiently } from './list.ts'
import { queryString } from './query.ts'
import { oddAnswer } from './shape.ts'
import { withAllItems } from './whole-items.ts'

export interface ConnectOptions {
  /** The project's name for the account: `target`, `us`, `intl`. */
  readonly name: string
  /** The secret itself; never written anywhere. */
  readonly key: string
  /**
   * The account `acct_…` that the key must belong to; undefined accepts any account (a sandbox in
   * this process).
   */
  readonly account?: string
  /** The mode the key must have; undefined accepts either (a sandbox in this process). */
  readonly livemode?: boolean
  /** Any server with Stripe's API, e.g. `http://127.0.0.1:4242`. */
  readonly apiBase?: string
  /** The network by default; a sandbox's own `fetch` reaches it without a socket. */
  readonly fetch?: Fetch
  /** Stripe's limits by default, none for a sandbox (own `fetch`, or a server on this machine). */
  readonly rates?: Rates | 'none'
  readonly timing?: Timing
  /**
   * Milliseconds since 1970: the time until an answer has a `Date`, and how long ago that was. A
   * sandbox's clock jumps, so it gives its own.
   */
  readonly clock?: () => number
  readonly random?: () => number
  /**
   * For a service: an account that does not answer is proven by the first request that reaches it.
   * Until then no other request is sent to it.
   */
  readonly mayBeAway?: { readonly account: string }
  /** The time limit of a request in seconds; a minute by default. */
  readonly timeoutSeconds?: number
  /**
   * Milliseconds between the attempts of a read that Stripe did not answer; by default a minute and
   * a half altogether.
   */
  readonly readPauses?: readonly number[]
}

const localTiming: Timing = { milliseconds: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) }
const noLimits: Limits = { turn: () => Promise.resolve(), hold: () => {} }
/** Seconds without an answer after which Stripe is asked for its time. */
const quietSeconds = 60
/**
 * Waits before the first answer of an account. A rate limit passes, so it is waited for as in every
 * list; an address without Stripe is reported after a few seconds.
 */
const firstPauses = ({ status }: Failure): readonly number[] => (status === 429 ? pauses : [500, 1_000, 2_000])
/** How long a rate-limited operation waits when Stripe does not say how long. */
const restMilliseconds = 1_000

/**
 * Connects to one account and proves before any other request that it is the account that the
 * project names. Throws `CommandError`: `key_unusable`, `wrong_mode`, `wrong_account`,
 * `account_unreachable`.
 */
export async function connectAccount(options: ConnectOptions): Promise<StripeAccount> {
  const { name } = options
  const livemode = keyMode(options)
  const timing = options.timing ?? localTiming
  const clock = answeredClock(options.clock ?? Date.now)
  const client = stripeClient({
    key: options.key,
    fetch: options.fetch ?? globalThis.fetch,
    heard: clock.hear,
    ...(options.apiBase === undefined ? {} : { base: new URL(options.apiBase) }),
    ...(options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds }),
  })
  const limits = learning(
    limitsOf(options, livemode, timing),
    () => createLimits(stripeRates(livemode), timing),
    options,
  )
  const direct = (request: StripeRequest): Promise<Outcome<StripeObject>> => sendOnce(client, limits, request)
  const { id, proven } = await proof(options, direct)
  const source: ListSource = {
    name,
    send: async (request) => {
      const doubt = await proven()
      return doubt === undefined ? direct(request) : failed(doubt)
    },
    ...(options.readPauses === undefined ? {} : { pauses: options.readPauses }),
    now: clock.now,
    sleep: (milliseconds: number) => timing.sleep(milliseconds),
    random: options.random ?? Math.random,
  }
  const send = async (request: StripeRequest): Promise<Outcome<StripeObject>> =>
    withAllItems(source, request, await source.send(request))
  return {
    name,
    id,
    livemode,
    apiVersion: Stripe.API_VERSION,
    send,
    list: (path, params = {}) => readList(source, path, params),
    retrieve: (path, params = {}) => readOne(source, path, params),
    look: (path, params = {}) => readPatiently(source, path, params),
    now: clock.now,
    present: async () => {
      const silence = clock.silence()
      const before = clock.now()
      if (silence >= 0 && silence < quietSeconds) return before
      await direct({ method: 'GET', path: '/v1/account' })
      // An account that does not answer is as late as this machine's clock says.
      return Math.abs(clock.silence()) < quietSeconds ? clock.now() : instant(before + Math.max(0, Math.floor(silence)))
    },
  }
}

/**
 * A server on this machine has no limit until it reports one; from then on Stripe's limits apply.
 */
function learning(limits: Limits, strict: () => Limits, options: ConnectOptions): Limits {
  if (limits !== noLimits || options.fetch !== undefined) return limits
  let current = limits
  return {
    turn: (operation) => current.turn(operation),
    hold(operation, milliseconds) {
      if (current === noLimits) current = strict()
      current.hold(operation, milliseconds)
    },
  }
}

function limitsOf(options: ConnectOptions, livemode: boolean, timing: Timing): Limits {
  const local = options.apiBase !== undefined && /^(127\.|localhost$|\[::1\]$)/.test(new URL(options.apiBase).hostname)
  const rates = options.rates ?? (options.fetch !== undefined || local ? 'none' : stripeRates(livemode))
  return rates === 'none' ? noLimits : createLimits(rates, timing)
}

async function sendOnce(client: Stripe, limits: Limits, request: StripeRequest): Promise<Outcome<StripeObject>> {
  const { method, path, params = {}, idempotencyKey } = request
  assert(
    (method === 'POST') === (idempotencyKey !== undefined),
    `${method} ${path}: an idempotency key belongs to a POST, and only to a POST`,
  )
  const operation = operationName(method, path)
  await limits.turn(operation)
  await request.still?.()
  try {
    const answer: unknown =
      idempotencyKey !== undefined
        ? await client.rawRequest('POST', path, params, { idempotencyKey })
        : await client.rawRequest(method, `${path}${queryString(params)}`)
    const kind = method === 'GET' ? 'retryable' : 'unknown'
    if (
      path.startsWith('/v2/') &&
      isJsonObject(answer) &&
      Array.isArray(answer['data']) &&
      answer['object'] === undefined
    )
      return success({ ...answer, object: 'list', has_more: typeof answer['next_page_url'] === 'string' })
    if (!isJsonObject(answer) || typeof answer['object'] !== 'string')
      return failed({ kind, code: notAnAnswerCode, message: 'the answer is not a Stripe object', status: 200 })
    const odd = oddAnswer(answer)
    if (odd === undefined) return { ...success(answer as StripeObject, requestIdOf(answer)), ...replayedIn(answer) }
    return failed({ kind, code: notAnAnswerCode, message: `not a Stripe answer: ${odd}`, status: 200 })
  } catch (error) {
    const failure = readFailure(error, method)
    if (failure.code.startsWith('rate_limit')) rest(limits, operation, failure)
    return failed(failure)
  }
}

/** The library keeps the headers of an answer beside its fields. */
function requestIdOf(answer: object): string | undefined {
  const { lastResponse: response } = answer as { readonly lastResponse?: { readonly requestId?: unknown } }
  return typeof response?.requestId === 'string' ? response.requestId : undefined
}

const replayHeader = 'idempotent-replayed'

function replayedIn(answer: object): { readonly isReplayed?: true } {
  const { lastResponse: response } = answer as { readonly lastResponse?: { readonly headers?: unknown } }
  const headers = response?.headers
  // In-process answers come from fetch, others from Node's own client.
  const replayed = headers instanceof Headers ? headers.get(replayHeader) : objectIn(headers)[replayHeader]
  return replayed === 'true' ? { isReplayed: true } : {}
}

function rest(limits: Limits, operation: string, failure: Failure): void {
  const wholeAccount = failure.code.includes('global')
  limits.hold(wholeAccount ? undefined : operation, (failure.retryAfter ?? 0) * 1_000 || restMilliseconds)
}

/** The mode, read from the prefix of the key; the key is never quoted. */
function keyMode({ name, key, livemode }: ConnectOptions): boolean {
  const mode = /^(?:sk|rk)_(test|live)_/.exec(key)?.[1]
  if (mode === undefined)
    throw new CommandError('key_unusable', `account ${name}: its key is not a secret or restricted key of Stripe`, {
      notDone: 'no request was sent to Stripe',
      fix: 'name a key that begins with rk_ (recommended) or sk_ in catalog/project.yaml',
    })
  const live = mode === 'live'
  if (livemode !== undefined && live !== livemode)
    throw new CommandError(
      'wrong_mode',
      `account ${name}: the project says livemode: ${livemode}, but its key is a ${mode} key`,
      {
        notDone: 'no request was sent to Stripe',
        fix: `correct accounts.${name} in catalog/project.yaml or the secret it names`,
      },
    )
  return live
}

interface Proof {
  readonly id: string
  /**
   * The reason why the account is not proven yet, which is checked before every request; undefined
   * after the proof.
   */
  readonly proven: () => Promise<Failure | undefined>
}

/**
 * Proves an account that answers. An account that does not answer, and may be away, is proven by a
 * later request; no request reaches an account other than the named one.
 */
async function proof(
  options: ConnectOptions,
  send: (request: StripeRequest) => Promise<Outcome<StripeObject>>,
): Promise<Proof> {
  const certain = () => Promise.resolve(undefined)
  try {
    return { id: await ownId(options, send), proven: certain }
  } catch (error) {
    const named = options.mayBeAway?.account
    if (named === undefined || !(error instanceof CommandError) || error.code !== 'account_unreachable') throw error
    let isProven = false
    let asking: Promise<Failure | undefined> | undefined
    const ask = async (): Promise<Failure | undefined> => {
      try {
        await ownId(options, send)
        isProven = true
        return undefined
      } catch (refused) {
        if (!(refused instanceof CommandError)) throw refused
        const away = refused.code === 'account_unreachable'
        const { code, message } = refused
        // 403: the key is wrong or belongs to another account. Like every refused key, it needs a
        // person.
        return { kind: 'retryable', code: away ? 'not_reached' : code, message, status: away ? 0 : 403 }
      } finally {
        asking = undefined
      }
    }
    return { id: named, proven: () => (isProven ? certain() : (asking ??= ask())) }
  }
}

async function ownId(
  options: ConnectOptions,
  send: (request: StripeRequest) => Promise<Outcome<StripeObject>>,
): Promise<string> {
  const { name, account } = options
  const waits = options.mayBeAway === undefined ? options.readPauses : []
  const timing = options.timing ?? localTiming
  const source = {
    send,
    sleep: (milliseconds: number) => timing.sleep(milliseconds),
    random: options.random ?? Math.random,
    pauses: waits ?? firstPauses,
  }
  const outcome = await readPatiently(source, '/v1/account', {})
  if (!outcome.ok) {
    const { failure } = outcome
    const refused = failure.kind === 'rejected'
    throw new CommandError(
      refused ? 'key_unusable' : 'account_unreachable',
      `account ${name}: Stripe ${refused ? 'refused its key' : 'did not answer'}: ${failure.message} (${failure.code})`,
      {
        notDone: 'no other request was sent to this account',
        fix: refused
          ? 'check the secret that catalog/project.yaml names, and whether a restricted key may read the account'
          : 'run the command again when Stripe can be reached',
      },
    )
  }
  const { id, object } = outcome.value
  if (object !== 'account' || id === undefined || (account !== undefined && id !== account))
    throw new CommandError(
      'wrong_account',
      `account ${name}: the project says ${account ?? 'an account'}, but its key belongs to ${id ?? object}`,
      {
        notDone: 'no other request was sent to this account',
        fix: `correct accounts.${name} in catalog/project.yaml or the secret it names`,
      },
    )
  return id
}
