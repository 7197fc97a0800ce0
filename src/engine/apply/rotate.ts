import { present } from '../../core/assert.ts'
import { address as addressOf } from '../../core/address.ts'
import { newAddress } from '../../catalog/new-address.ts'
import { formatInstant, instant, type Instant } from '../../core/instant.ts'
import { isJsonObject, type JsonObject, objectIn, type StripeObject, textIn } from '../../core/json.ts'
import { CommandError, success } from '../../core/outcome.ts'
import { markConnect, markSucceeds, webhookEndpoint } from '../../kinds/webhook-endpoint.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import { markOf, ownMark } from '../../plan/resources/live-index.ts'
import type { Context } from '../context.ts'
import { applyLease, withLease } from '../lease.ts'
import { readKind } from '../read/lists.ts'
import { perform, type Work } from '../send/perform.ts'

/**
 * On the first endpoint: a copy of its secret is stored, so a rotation may overwrite the sink. On
 * the second: its own secret is stored, and the overlap began then (unix seconds).
 */
const markRotation = 'crossbill_rotation'

/**
 * Stripe retries a delivery for three days: https://docs.stripe.com/webhooks#retries. Afterwards
 * the first endpoint delivers nothing that the second did not deliver.
 */
const overlapSeconds = 72 * 3_600

type Endpoint = StripeObject & { readonly id: string }

/** The endpoints of one entry, as a rotation finds them. */
interface Pair {
  /** The endpoint in use until the rotation is finished. */
  readonly first: Endpoint | undefined
  /** The endpoint whose secret is stored. */
  readonly second: Endpoint | undefined
  /** Endpoints of runs that ended before their secret was stored: nothing can verify them. */
  readonly abandoned: readonly Endpoint[]
}

/** The overlap: both endpoints deliver every event. */
export interface Overlap {
  readonly first: string
  readonly second: string
  /** From this time on the rotation may be finished. */
  readonly until: Instant
}

export type Started = Overlap & {
  readonly begun: boolean
  /** Where the earlier secret is kept; undefined when this run did not copy it. */
  readonly previous: string | undefined
}

/**
 * Begins a rotation, or continues one: stores a copy of the current secret, creates a second
 * endpoint like the first and stores its secret. Every state that a killed run leaves is read from
 * the marks on the endpoints. Throws `CommandError`.
 */
export async function startRotation(context: Context, key: string): Promise<Started> {
  const { address, sink } = entryOf(context, key)
  return withLease(context, applyLease, async (_held, bound) => {
    const { first, second, abandoned } = await readPair(bound, address)
    if (second !== undefined) return { ...overlapOf(second), begun: false, previous: undefined }
    if (first === undefined) throw notThere(address)
    for (const one of abandoned) await remove(bound, address, one)
    const previous = await keepPrevious(bound, { address, first, sink })
    const created = await createSecond(bound, { address, first, sink })
    await update(bound, { address, step: 'begin_overlap', id: created, params: rotationMark(bound) })
    return { first: first.id, second: created, until: ripe(bound.accounts.target.now()), begun: true, previous }
  })
}

/**
 * Finishes a rotation: the second endpoint becomes the entry's own, then the first is disabled and
 * deleted. Undefined when no rotation is under way. Throws `CommandError` `overlap_runs` during the
 * overlap, unless it may end early.
 */
export async function finishRotation(
  context: Context,
  key: string,
  { early }: { readonly early: boolean },
): Promise<Pick<Overlap, 'first' | 'second'> | undefined> {
  const { address } = entryOf(context, key)
  return withLease(context, applyLease, async (_held, bound) => {
    const { first, second, abandoned } = await readPair(bound, address)
    if (second === undefined) {
      if (first === undefined) throw notThere(address)
      for (const one of abandoned) await remove(bound, address, one)
      return undefined
    }
    const { until, first: earlier } = overlapOf(second)
    const begun = ownMark(second, bound.catalog.project.name) === address
    if (!early && !begun && bound.accounts.target.now() < until) throw overlapRuns(address, until)
    // The second endpoint must be live before the first ends.
    if (second['status'] !== 'enabled') throw secondDisabled(address, second.id)
    if (!begun) await takeOver(bound, { address, first, second })
    const old = (await endpoints(bound)).find(({ id }) => id === earlier)
    if (old !== undefined) {
      if (!webhookEndpoint.retired(old))
        await update(bound, { address, step: 'disable', id: old.id, params: { disabled: true } })
      await remove(bound, address, old)
    }
    for (const one of abandoned) await remove(bound, address, one)
    const params = { metadata: { [markSucceeds]: '', [markRotation]: '' } }
    await update(bound, { address, step: 'end_rotation', id: second.id, params })
    return { first: earlier, second: second.id }
  })
}

function entryOf({ catalog }: Context, key: string): { readonly address: string; readonly sink: JsonObject } {
  const address = addressOf(webhookEndpoint.name, key)
  const entry = catalog.resources.find((one) => one.address === address)
  const sink = entry?.value['secret_to']
  if (entry !== undefined && isJsonObject(sink)) return { address, sink }
  const what = entry === undefined ? 'the catalog has no such entry' : 'the entry does not say where its secret goes'
  throw new CommandError(entry === undefined ? 'unknown_endpoint' : 'secret_to_missing', `${address}: ${what}`, {
    notDone: 'no request was sent',
    fix:
      entry === undefined
        ? 'name a key of webhook_endpoints in catalog/webhooks.yaml'
        : 'write secret_to: { env_file: .env, name: NAME }, { file: PATH } or { command: [...] }',
  })
}

async function endpoints({ accounts }: Context): Promise<readonly Endpoint[]> {
  const all = await readKind(accounts.target, webhookEndpoint)
  return all.filter((one): one is Endpoint => typeof one.id === 'string')
}

async function readPair(context: Context, address: string): Promise<Pair> {
  const {
    moved,
    project: { name: project },
  } = context.catalog
  const all = await endpoints(context)
  const recorded = (await context.store.objects()).find((one) => one.address === address)?.id
  const isOfEntry = (one: Endpoint): boolean =>
    markOf(one, markProject) === project && newAddress(successionOf(one)?.address, moved) === address
  const marked = all.filter(
    (one) => ownMark(one, project) === address && !isOfEntry(one) && !webhookEndpoint.retired(one),
  )
  const first = marked.find(({ id }) => id === recorded) ?? marked[0]
  const successors = all.filter(isOfEntry)
  const taken = successors.find((one) => ownMark(one, project) === address)
  const second =
    taken ??
    successors.find(
      (one) => first !== undefined && successionOf(one)?.first === first.id && markOf(one, markRotation) !== undefined,
    )
  return { first, second, abandoned: successors.filter((one) => one !== second) }
}

function successionOf(endpoint: Endpoint): { readonly first: string; readonly address: string } | undefined {
  const [first, address] = (markOf(endpoint, markSucceeds) ?? '').split(' ')
  return first === undefined || address === undefined ? undefined : { first, address }
}

function overlapOf(second: Endpoint): Overlap {
  const { first } = present(successionOf(second), 'mark of the rotation')
  return { first, second: second.id, until: ripe(instant(Number(markOf(second, markRotation) ?? 0))) }
}

function ripe(since: Instant): Instant {
  return instant(since + overlapSeconds)
}

function rotationMark({ accounts }: Context): JsonObject {
  return { metadata: { [markRotation]: String(accounts.target.now()) } }
}

interface Beginning {
  readonly address: string
  readonly first: Endpoint
  readonly sink: JsonObject
}

/**
 * The copy is made once: after the second secret is stored, another copy would overwrite the first
 * secret with the second.
 */
async function keepPrevious(context: Context, { address, first, sink }: Beginning): Promise<string | undefined> {
  if (markOf(first, markRotation) !== undefined) return undefined
  const previous = await context.sink.keepPrevious?.(sink)
  await update(context, { address, step: 'begin_rotation', id: first.id, params: rotationMark(context) })
  return previous
}

async function createSecond(context: Context, { address, first, sink }: Beginning): Promise<string> {
  const { api_version: version } = first
  const { disabled: _live, ...like } = sameAs(first)
  let isKept = false
  const id = await send(context, address, {
    step: 'create_second',
    method: 'POST',
    path: webhookEndpoint.path,
    params: {
      ...like,
      ...(typeof version === 'string' ? { api_version: version } : {}),
      ...(markOf(first, markConnect) === 'true' ? { connect: true } : {}),
      metadata: { ...unmarked(first), [markSucceeds]: `${first.id} ${address}` },
    },
    find: async () => success((await readPair(context, address)).abandoned[0]),
    async keep({ secret }) {
      if (typeof secret !== 'string') return
      await store(context, { address, sink, secret })
      isKept = true
    },
  })
  if (isKept && id !== undefined) return id
  throw new CommandError('secret_not_returned', `${address}: Stripe did not return the new signing secret`, {
    notDone: 'the current endpoint and its secret stay in use',
    fix: `run "crossbill webhooks rotate" again: it deletes the second endpoint and makes another`,
  })
}

async function store(
  context: Context,
  { address, sink, secret }: { readonly address: string; readonly sink: JsonObject; readonly secret: string },
): Promise<void> {
  try {
    await context.sink.write(sink, secret)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(error.code, `${address}: ${error.message}`, {
      notDone: 'the current endpoint and its secret stay in use',
      fix: 'correct the place named by secret_to, then run the command again: it makes another secret',
      cause: error,
    })
  }
}

/** The second endpoint gets the entry's address, and what the entry changed during the overlap. */
async function takeOver(
  context: Context,
  {
    address,
    first,
    second,
  }: { readonly address: string; readonly first: Endpoint | undefined; readonly second: Endpoint },
): Promise<void> {
  // The record names the second endpoint first, so that no plan retires it as a copy.
  const recorded = (await context.store.objects()).find((one) => one.address === address)
  const { name } = context.accounts.target
  await context.store.putObjects([{ address, account: name, applied: null, ...recorded, id: second.id }])
  const now = first === undefined ? {} : unmarked(first)
  const gone = Object.keys(unmarked(second)).filter((key) => !(key in now))
  const metadata = { ...Object.fromEntries(gone.map((key) => [key, ''])), ...now, [markAddress]: address }
  const like = first === undefined ? {} : sameAs(first)
  await update(context, { address, step: 'take_over', id: second.id, params: { ...like, metadata } })
}

/** What both endpoints have in common, besides metadata. */
function sameAs(endpoint: Endpoint): JsonObject {
  const { url = null, enabled_events: events = null, description } = endpoint
  return { url, enabled_events: events, description: textIn(description) }
}

/** The metadata without the marks that only one endpoint of a pair has. */
function unmarked({ metadata }: Endpoint): JsonObject {
  const own: readonly string[] = [markAddress, markRotation, markSucceeds]
  return Object.fromEntries(Object.entries(objectIn(metadata)).filter(([name]) => !own.includes(name)))
}

async function update(
  context: Context,
  request: { readonly address: string; readonly step: string; readonly id: string; readonly params: JsonObject },
): Promise<void> {
  const { address, step, id, params } = request
  await send(context, address, { step, method: 'POST', path: `${webhookEndpoint.path}/${id}`, params })
}

async function remove(context: Context, address: string, { id }: Endpoint): Promise<void> {
  const path = `${webhookEndpoint.path}/${id}`
  await send(context, address, { step: 'delete', method: 'DELETE', path, params: {} })
}

async function send(
  context: Context,
  address: string,
  work: Pick<Work, 'step' | 'method' | 'path' | 'params' | 'find' | 'keep'>,
): Promise<string | undefined> {
  // Every request states the wanted result or is cleaned up by the next run, so each run has its
  // own keys: an earlier key would only replay.
  const key = `${context.run}-rotate-${address}-${work.step}-${work.path.split('/').at(-1) ?? ''}`
  const outcome = await perform(context, { ...work, address, account: context.accounts.target, key })
  if (outcome.ok) return outcome.value.id
  const { code, message } = outcome.failure
  if (work.method === 'DELETE' && code === 'resource_missing') return undefined
  throw new CommandError('rotation_stopped', `${address}: ${work.step}: ${message} (${code})`, {
    notDone: 'the rotation is not complete; an endpoint with a stored secret is still live',
    fix: 'correct the cause, then run the same command again: it continues',
  })
}

function notThere(address: string): CommandError {
  return new CommandError('endpoint_missing', `${address} has no enabled endpoint in the target`, {
    notDone: 'no request was sent',
    fix: 'create it or enable it with crossbill apply',
  })
}

function overlapRuns(address: string, until: Instant): CommandError {
  return new CommandError('overlap_runs', `${address}: the overlap lasts until ${formatInstant(until)}`, {
    notDone: 'both endpoints stay live, because Stripe may still repeat deliveries of the first one',
    fix: 'run the command again after that time, or add --early when the old secret is known to others',
  })
}

function secondDisabled(address: string, id: string): CommandError {
  return new CommandError('second_disabled', `${address}: its second endpoint ${id} is disabled`, {
    notDone: 'the first endpoint stays live',
    fix: `enable ${id} in the Dashboard, then run the command again`,
  })
}
