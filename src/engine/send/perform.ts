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

/**
 * One request that is meant: what is sent, under which key, and how to find out whether it was
 * done.
 */
export interface Work {
  readonly address: string
  readonly step: string
  readonly account: StripeAccount
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  /** As planned: this goes into the journal, so it holds neither secrets nor personal data. */
  readonly params: JsonObject
  /** What is sent, when references in `params` had to be filled in first. */
  readonly filled?: JsonObject
  /** The idempotency key; later attempts append their number. */
  readonly key: string
  /** Other runs rely on this key: no attempt exchanges it for another. */
  readonly oneKey?: boolean
  /**
   * Where a request that changes nothing can be sent, for work that is harmless to repeat but not
   * to repeat late: before another key is used, the earlier one is shut with it, so that a request
   * still on its way under that key is refused when it arrives.
   */
  readonly shutAt?: string
  /**
   * A positive read of what this request makes or changes: the object when it is done, undefined
   * when it certainly is not. Needed for everything that is not harmless to send twice.
   */
  readonly find?: () => Promise<Outcome<StripeObject | undefined>>
  /**
   * Takes out of the answer what Stripe says only once (a signing secret), before the outcome is
   * recorded. Such a request is repeated under its own key while that protects, since a replayed
   * answer holds the secret again and a look-up never does.
   */
  readonly keep?: (answer: StripeObject) => Promise<void>
  /**
   * For an update of a subscription: the subscription as it was read a moment ago. Without it
   * `perform` reads it.
   */
  readonly seen?: Stripe.Subscription | undefined
}

export type Performer = Pick<Context, 'store' | 'interrupt' | 'run' | 'wait'> & { readonly patience?: Patience }

/**
 * How often a request is repeated: `turns` while it was certainly not executed, `rounds` while
 * nobody knows.
 */
export interface Patience {
  readonly turns: number
  readonly rounds: number
}

// Stripe may forget a key after 24 h (https://docs.stripe.com/api/idempotent_requests): an older
// one protects nothing.
const keyLife = 23 * 3_600
const patient: Patience = { turns: 8, rounds: 4 }

/**
 * Sends through the journal: `started` is durable before the request leaves, the outcome is written
 * after it came back.
 *
 * | what the journal knows of it   | look-up   | then                                             |
 * | ------------------------------ | --------- | ------------------------------------------------ |
 * | nothing                        |           | send                                             |
 * | open, or cut on the way        | done      | closed as succeeded                              |
 * |                                | not done  | the same key again: should the first still be under way, it waits |
 * | succeeded, yet asked for again | done      | that is the answer                               |
 * |                                | not done  | a new key: the old one would only replay         |
 * | answered 4xx, or key too old   | not done  | a new key: Stripe remembers a refusal for a day  |
 * | answered 5xx                   | not done  | the same key, until `quietSeconds` have passed since it was sent; then a new key |
 * | any                            | no answer | stays open as unknown; the caller leaves things as they are |
 * | any, harmless to repeat        |           | a new key, so that it is executed and not replayed |
 *
 * An answer of 5xx may come from anywhere on the way, and the request may still be committed: a
 * second key before that would make a second object. `oneKey` work keeps its key in every row.
 */
export async function perform(context: Performer, work: Work): Promise<Outcome<StripeObject>> {
  const whole = await withDiscounts(context, work)
  return whole.ok ? performWhole(context, whole.value) : whole
}

/**
 * Every update of a subscription passes here, so no writer can forget that it may unset discounts
 * before the first billing date. An update whose subscription cannot be read is not sent.
 */
async function withDiscounts(context: Performer, work: Work): Promise<Outcome<Work>> {
  const { account, method, path, params, filled, seen } = work
  if (!isSubscriptionUpdate(method, path)) return success(work)
  const found = seen === undefined ? await read(context, account, path) : undefined
  if (found?.ok === false) return found
  // The adapter hands over what Stripe sent; its types are the SDK's for the pinned version.
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
  else if (open.length > 0 || latest?.status === 'succeeded') {
    const found = await lookUp(context, work, open)
    if (found !== undefined) return found
  }
  let attempt = nextAttempt(work, latest)
  let last: Failure | undefined
  for (let round = 0; round < (context.patience ?? patient).rounds; round++) {
    const [outcome, entry] = await sendOnce(context, work, attempt)
    if (outcome.ok) return outcome
    last = outcome.failure
    if (last.kind !== 'unknown') return outcome
    if (work.keep === undefined || last.status >= 500) {
      const found = await lookUp(context, work, [{ ...entry, failure: recorded(last) }])
      if (found !== undefined) return found
    } else await abandon(context, work, { ...entry, failure: recorded(last) })
    if (isHarmless(work) && (last.status >= 500 || work.shutAt !== undefined)) attempt += 1
    await context.wait(backoff(round + 1))
  }
  return failed(last ?? { kind: 'unknown', code: 'no_answer', message: 'no answer', status: 0 })
}

/** Tries of this very step under this very plan, oldest first. */
async function earlierTries(context: Performer, work: Work): Promise<readonly JournalEntry[]> {
  const entries = await context.store.journal({ address: work.address })
  return entries
    .filter(
      ({ step, idempotencyKey: key }) => step === work.step && (key === work.key || key.startsWith(`${work.key}-`)),
    )
    .toSorted((a, b) => a.id - b.id)
}

function nextAttempt(work: Work, latest: JournalEntry | undefined): number {
  if (latest === undefined || work.oneKey === true) return 1
  const status = latest.failure?.['status']
  const age = work.account.now() - latest.startedAt
  const isStored = typeof status === 'number' && status >= 500 && latest.status !== 'failed'
  const remembered = latest.status === 'failed' || latest.status === 'succeeded' || (isStored && age >= quietSeconds)
  return remembered || isHarmless(work) || age > keyLife ? latest.attempt + 1 : latest.attempt
}

/** Sets values on what is there: sent twice, it does the same. */
function isHarmless({ find, keep, oneKey }: Work): boolean {
  return find === undefined && keep === undefined && oneKey !== true
}

/** Closes open entries by what the outside shows. Undefined: certainly not done, send again. */
async function lookUp(
  context: Performer,
  work: Work,
  entries: readonly Pick<JournalEntry, 'id' | 'failure' | 'idempotencyKey'>[],
): Promise<Outcome<StripeObject> | undefined> {
  if (work.find === undefined) {
    // The same values are set once more.
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
 * Uses up a key by a request that changes nothing. Undefined: whatever was sent under it is over,
 * done or not.
 */
export async function shut(
  context: Pick<Context, 'interrupt' | 'wait'>,
  { account, shutAt }: Pick<Work, 'account' | 'shutAt'>,
  key: string,
): Promise<Failure | undefined> {
  if (shutAt === undefined) return undefined
  const params = { metadata: { [markClosed]: null } }
  const outcome = await sendPatiently(context, account, { method: 'POST', path: shutAt, params, idempotencyKey: key })
  if (outcome.ok || outcome.failure.kind === 'rejected' || outcome.failure.code === 'idempotency_error')
    return undefined
  return { ...outcome.failure, kind: 'unknown' }
}

/** Keeps how it failed: the next attempt's number depends on it. */
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
  // One order of parameters, so that a repetition out of the journal is the same request to whoever
  // remembers the key.
  const body = { method, path, params: JSON.parse(canonicalJson(work.filled ?? params)) as JsonObject }
  const outcome = await sendPatiently(context, account, method === 'POST' ? { ...body, idempotencyKey } : body)
  if (outcome.ok) await work.keep?.(outcome.value)
  if (outcome.ok)
    await context.store.journalEnd(id, { status: 'succeeded', ...result(outcome.value), at: account.now() })
  else {
    const status = outcome.failure.kind === 'unknown' ? 'unknown' : 'failed'
    await context.store.journalEnd(id, { status, failure: recorded(outcome.failure), at: account.now() })
  }
  return [outcome, { id, idempotencyKey }]
}

function result(object: StripeObject | undefined): { result?: string } {
  return object?.id === undefined ? {} : { result: object.id }
}

/**
 * What the journal keeps of a failure: Stripe's messages quote ids and parameter names, never card
 * data.
 */
function recorded({ kind, code, message, status }: Failure): JsonObject {
  return { kind, code, message, status }
}

/**
 * Sends and, while the outside says that nothing was executed (rate limit, lock, an earlier request
 * with this key still under way), sends again after the wait it asks for. Neither is a state of a
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
  return failure.kind === 'retryable' || failure.code === 'idempotency_key_in_use'
}

/**
 * A read outside the lists: repeated while the outside is merely unwell, since reading twice harms
 * nobody.
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
