import { backoff } from '../../core/backoff.ts'
import type Stripe from 'stripe'
import { canonicalJson } from '../../core/canonical.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { failed, type Failure, type Outcome, success } from '../../core/outcome.ts'
import { isSubscriptionUpdate, keepingDiscounts } from '../../live/keep-discounts.ts'
import { quietSeconds } from '../../handover/events.ts'
import { markClosed } from '../../live/marks.ts'
import type { Context } from '../context.ts'
import type { JournalEntry, StripeAccount, StripeRequest } from '../ports.ts'

/** One intended request: what is sent, under which key, and how to find out whether it was done. */
export interface Work {
  readonly address: string
  readonly step: string
  readonly account: StripeAccount
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  /** As planned. This goes into the journal, so it holds neither secrets nor personal data. */
  readonly params: JsonObject
  /** What is sent, when references in `params` had to be filled in first. */
  readonly filled?: JsonObject
  /** The idempotency key; later attempts append their number. */
  readonly key: string
  /** Other runs rely on this key, so no attempt replaces it. */
  readonly oneKey?: boolean
  /**
   * A path for a request that changes nothing, for work that is safe to repeat but not to repeat
   * late. Before another key is used, this request uses up the earlier key. A request still in
   * flight under that key is then refused when it arrives.
   */
  readonly shutAt?: string
  /**
   * Reads whether the request is done: the object when it is, undefined when it certainly is not.
   * Required for every request that is not safe to send twice.
   */
  readonly find?: () => Promise<Outcome<StripeObject | undefined>>
  /** A run whose journal is lost may have sent it: look before the first try. */
  readonly lookFirst?: boolean
  /**
   * Takes from the answer what Stripe shows only once (a signing secret), before the outcome is
   * recorded. Such a request is repeated under its own key while the key is valid: a replayed
   * answer contains the secret again, and a look-up never does.
   */
  readonly keep?: (answer: StripeObject) => Promise<void>
  /**
   * Several runs may do parts of one change. The run whose request completes it has carried it out:
   * false for every other request. Without a value, the request alone is the change.
   */
  readonly completes?: boolean
  /**
   * For an update of a subscription: the subscription from a recent read. Without it, `perform`
   * reads it.
   */
  readonly seen?: Stripe.Subscription | undefined
}

export type Performer = Pick<Context, 'store' | 'interrupt' | 'run' | 'wait' | 'carriedOut'> & {
  readonly patience?: Patience
}

/**
 * How often a request is repeated: `turns` while it was certainly not executed, `rounds` while this
 * is unknown.
 */
export interface Patience {
  readonly turns: number
  readonly rounds: number
}

// Stripe may forget a key after 24 h (https://docs.stripe.com/api/idempotent_requests), so an older
// key protects nothing.
const keyLife = 23 * 3_600
const keyInUse = 'idempotency_key_in_use'
const patient: Patience = { turns: 8, rounds: 4 }

/**
 * Sends through the journal: `started` is durable before the request is sent, and the outcome is
 * written after the answer.
 *
 * | what the journal shows         | look-up   | then                                           |
 * | ------------------------------ | --------- | ---------------------------------------------- |
 * | nothing                        |           | send                                           |
 * | open, or cut off in flight     | done      | closed as succeeded                            |
 * |                                | not done  | the same key: it waits for a first in progress |
 * | succeeded, but requested again | done      | that is the answer                             |
 * |                                | not done  | a new key: the old one would only replay       |
 * | answered 4xx                   | not done  | a new key: Stripe replays a refusal for a day  |
 * | answered 429 or "key in use"   | not done  | the same key: nothing was executed or stored   |
 * | cut off, or killed in flight   | not done  | the same key while Stripe remembers it         |
 * | 4xx after an uncertain answer  | not done  | the same key for `quietSeconds`, then a new one |
 * | answered 5xx                   | not done  | the same key for `quietSeconds`, then a new one |
 * | a replayed 5xx answer          | not done  | a new key at once, except in a hand-over       |
 * | any                            | no answer | unknown: it stays open, the caller stops       |
 * | any, safe to repeat            |           | a new key, so that it is executed, not replayed |
 *
 * A 5xx answer may come from any proxy in between, and the request may still be committed. A second
 * key before that would create a second object. `oneKey` work keeps its key in every row.
 */
export async function perform(context: Performer, work: Work): Promise<Outcome<StripeObject>> {
  const whole = await withDiscounts(context, work)
  return whole.ok ? performWhole(context, whole.value) : whole
}

/**
 * Every update of a subscription passes here, so that no caller can forget that an update may unset
 * discounts before the first billing date. An update whose subscription cannot be read is not sent.
 */
async function withDiscounts(context: Performer, work: Work): Promise<Outcome<Work>> {
  const { account, method, path, params, filled, seen } = work
  if (!isSubscriptionUpdate(method, path)) return success(work)
  const found = seen === undefined ? await read(context, account, path) : undefined
  if (found?.ok === false) return found
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  const subscription = seen ?? (found?.value as unknown as Stripe.Subscription)
  const keeping = (one: JsonObject): JsonObject => keepingDiscounts(one, subscription, account.now())
  return success({ ...work, params: keeping(params), ...(filled === undefined ? {} : { filled: keeping(filled) }) })
}

async function performWhole(context: Performer, work: Work): Promise<Outcome<StripeObject>> {
  const earlier = await earlierTries(context, work)
  const open = earlier.filter((entry) => entry.status === 'started' || entry.status === 'unknown')
  const latest = earlier.at(-1)
  const replayable = work.keep !== undefined && open.every((entry) => work.account.now() - entry.startedAt <= keyLife)
  if (replayable) for (const entry of open) await abandon(context, work, entry)
  else if (
    open.length > 0 ||
    latest?.status === 'succeeded' ||
    (latest === undefined && work.lookFirst === true) ||
    // It was not done when the run looked, and may have been committed since.
    (work.find !== undefined && earlier.some(({ status }) => status === 'abandoned'))
  ) {
    const found = await lookUp(context, work, open)
    if (found !== undefined) return found
  }
  let attempt = nextAttempt(work, earlier)
  let last: Failure | undefined
  for (let round = 0; round < (context.patience ?? patient).rounds; round++) {
    const [outcome, entry] = await sendOnce(context, work, attempt)
    // A replayed answer belongs to the run that sent the request first.
    if (outcome.ok && (outcome.isReplayed !== true || round > 0)) noteCarriedOut(context, work)
    if (outcome.ok) return outcome
    last = outcome.failure
    if (last.kind !== 'unknown') return outcome
    if (work.keep === undefined || last.status >= 500) {
      const found = await lookUp(context, work, [{ ...entry, failure: recorded(last) }])
      if (found?.ok === true) noteCarriedOut(context, work)
      if (found !== undefined) return found
    } else await abandon(context, work, { ...entry, failure: recorded(last) })
    if (isHarmless(work) && (last.status >= 500 || work.shutAt !== undefined)) attempt += 1
    else if (isStoredRefusal(work, last)) attempt += 1
    await context.wait(backoff(round + 1))
  }
  return failed(last ?? { kind: 'unknown', code: 'no_answer', message: 'no answer', status: 0 })
}

function noteCarriedOut({ carriedOut }: Performer, { address, completes }: Work): void {
  if (completes !== false) carriedOut?.add(address)
}

/** Tries of this step under this plan, oldest first. */
async function earlierTries(context: Performer, work: Work): Promise<readonly JournalEntry[]> {
  const entries = await context.store.journal({ address: work.address })
  return entries
    .filter(
      ({ step, idempotencyKey: key }) => step === work.step && (key === work.key || key.startsWith(`${work.key}-`)),
    )
    .toSorted((a, b) => a.id - b.id)
}

function nextAttempt(work: Work, earlier: readonly JournalEntry[]): number {
  const latest = earlier.at(-1)
  if (latest === undefined || work.oneKey === true) return 1
  const now = work.account.now()
  // After that time no request under this key is in progress, and a stored 5xx would only be
  // replayed. Without an answer, nothing shows that the key was ever used: another run that stood
  // still could then execute its request under it.
  const isQuiet = now - latest.startedAt >= (wasAnswered(latest) ? quietSeconds : keyLife)
  if (isHarmless(work) || isQuiet || latest.status === 'succeeded') return latest.attempt + 1
  const isRefused = latest.status === 'failed' && !wasNotExecuted(latest)
  return isRefused && !mayStillCommit(earlier, latest, now) ? latest.attempt + 1 : latest.attempt
}

/** Stripe stores no answer for such a refusal, so it does not use up the key. */
function wasNotExecuted({ failure }: JournalEntry): boolean {
  return failure?.['kind'] === 'retryable' || failure?.['code'] === keyInUse
}

function wasAnswered({ failure }: JournalEntry): boolean {
  const status = failure?.['status']
  return typeof status === 'number' && status > 0
}

/**
 * Whether an earlier request under the same key had no certain answer a short time ago. Whatever a
 * later one was answered, a second key could then create a second object.
 */
function mayStillCommit(earlier: readonly JournalEntry[], { attempt }: JournalEntry, now: number): boolean {
  return earlier.some(
    (one) =>
      one.attempt === attempt &&
      ['started', 'unknown', 'abandoned'].includes(one.status) &&
      now - one.startedAt < quietSeconds,
  )
}

/**
 * A stored answer of 5xx: its request is over and the look-up found nothing, so a wait would only
 * bring the same answer for a day. Nothing depends on the header that says so: without it the key
 * changes after `quietSeconds`. The requests of a hand-over always wait, since theirs move money.
 */
function isStoredRefusal({ shutAt, oneKey, find }: Work, { status, isReplayed }: Failure): boolean {
  return isReplayed === true && status >= 500 && find !== undefined && shutAt === undefined && oneKey !== true
}

/** The request only sets values on an existing object: sent twice, it has the same result. */
function isHarmless({ find, keep, oneKey }: Work): boolean {
  return find === undefined && keep === undefined && oneKey !== true
}

/** Closes open entries by what the accounts show. Undefined: certainly not done, send again. */
async function lookUp(
  context: Performer,
  work: Work,
  entries: readonly Pick<JournalEntry, 'id' | 'failure' | 'idempotencyKey'>[],
): Promise<Outcome<StripeObject> | undefined> {
  if (work.find === undefined) {
    // Sets the same values once more.
    for (const entry of entries) {
      const open = await shut(context, work, entry.idempotencyKey)
      if (open !== undefined) return failed(open)
      await abandon(context, work, entry)
    }
    return undefined
  }
  const found = await work.find()
  if (!found.ok) {
    for (const { id } of entries)
      await context.store.journalEnd(id, {
        status: 'unknown',
        failure: recorded(found.failure),
        at: work.account.now(),
      })
    return failed({ ...found.failure, kind: 'unknown' })
  }
  for (const entry of entries)
    await (found.value === undefined
      ? abandon(context, work, entry)
      : context.store.journalEnd(entry.id, { status: 'succeeded', ...result(found.value), at: work.account.now() }))
  return found.value === undefined ? undefined : success(found.value)
}

/**
 * Whether an answer proves that no other request can be executed under its key any more: Stripe
 * says that another request used the key, or that the customer of both requests does not exist. A
 * key without a permission, or a request that Stripe does not understand, proves nothing.
 */
export function usesUpKey({ code }: Failure): boolean {
  return code === 'idempotency_error' || code === 'resource_missing'
}

/**
 * Uses up a key with a request that changes nothing. Undefined: whatever was sent under the key is
 * over, done or not.
 */
export async function shut(
  context: Pick<Context, 'interrupt' | 'wait'>,
  { account, shutAt }: Pick<Work, 'account' | 'shutAt'>,
  key: string,
): Promise<Failure | undefined> {
  if (shutAt === undefined) return undefined
  const params = { metadata: { [markClosed]: null } }
  const outcome = await sendPatiently(context, account, { method: 'POST', path: shutAt, params, idempotencyKey: key })
  if (outcome.ok || usesUpKey(outcome.failure)) return undefined
  return { ...outcome.failure, kind: 'unknown' }
}

/** Records how it failed, because the next attempt's number depends on it. */
async function abandon(
  context: Performer,
  work: Work,
  { id, failure }: Pick<JournalEntry, 'id' | 'failure'>,
): Promise<void> {
  const at = work.account.now()
  await context.store.journalEnd(id, { status: 'abandoned', ...(failure === null ? {} : { failure }), at })
}

async function sendOnce(
  context: Performer,
  work: Work,
  attempt: number,
): Promise<readonly [Outcome<StripeObject>, Pick<JournalEntry, 'id' | 'idempotencyKey'>]> {
  const idempotencyKey = attempt === 1 ? work.key : `${work.key}-${attempt}`
  const { address, step, account, method, path, params } = work
  const started = { run: context.run, address, step, account: account.name, method, path, params }
  const id = await context.store.journalStart({ ...started, idempotencyKey, attempt, startedAt: account.now() })
  // The order of parameters is fixed, so that Stripe recognises a repeat from the journal as the
  // same request.
  const body = { method, path, params: JSON.parse(canonicalJson(work.filled ?? params)) as JsonObject }
  const outcome = await sendPatiently(context, account, method === 'POST' ? { ...body, idempotencyKey } : body)
  if (outcome.ok) await work.keep?.(outcome.value)
  if (outcome.ok)
    await context.store.journalEnd(id, {
      status: 'succeeded',
      ...result(outcome.value),
      ...sent(outcome.requestId),
      at: account.now(),
    })
  else {
    const { failure } = outcome
    const status = failure.kind === 'unknown' ? 'unknown' : 'failed'
    const ended = { status, failure: recorded(failure), ...sent(failure.requestId), at: account.now() } as const
    await context.store.journalEnd(id, ended)
  }
  return [outcome, { id, idempotencyKey }]
}

function sent(requestId: string | undefined): { requestId?: string } {
  return requestId === undefined ? {} : { requestId }
}

function result(object: StripeObject | undefined): { result?: string } {
  return object?.id === undefined ? {} : { result: object.id }
}

/**
 * The part of a failure that the journal keeps: Stripe's messages quote ids and parameter names,
 * never card data.
 */
function recorded({ kind, code, message, status }: Failure): JsonObject {
  return { kind, code, message, status }
}

/**
 * Sends a request, and sends it again after the requested wait while Stripe certainly executed
 * nothing (rate limit, lock, an earlier request with this key in progress). Neither is a state of a
 * subscriber.
 */
export async function sendPatiently(
  context: Pick<Performer, 'interrupt' | 'wait' | 'patience'>,
  account: StripeAccount,
  request: StripeRequest,
): Promise<Outcome<StripeObject>> {
  const { turns } = context.patience ?? patient
  for (let turn = 1; ; turn++) {
    const outcome = await account.send(request)
    if (outcome.ok || !mayRepeat(outcome.failure) || turn === turns || context.interrupt.requested) return outcome
    await context.wait(backoff(turn, outcome.failure.retryAfter))
  }
}

function mayRepeat(failure: Failure): boolean {
  return failure.kind === 'retryable' || failure.code === keyInUse
}

/**
 * A read outside the lists, repeated during temporary failures, because reads are safe to repeat.
 */
export async function read(
  context: Pick<Performer, 'interrupt' | 'wait' | 'patience'>,
  account: StripeAccount,
  path: string,
  params: JsonObject = {},
): Promise<Outcome<StripeObject>> {
  const { rounds } = context.patience ?? patient
  for (let turn = 1; ; turn++) {
    const outcome = await sendPatiently(context, account, { method: 'GET', path, params })
    if (outcome.ok || outcome.failure.kind !== 'unknown' || turn === rounds) return outcome
    await context.wait(backoff(turn))
  }
}
