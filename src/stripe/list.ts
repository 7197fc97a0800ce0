import { type Page, type ReadPage, cursor, createdAt } from './pages.ts'
import { CommandError, type Failure, type Outcome } from '../core/outcome.ts'
import type { StripeObject, JsonObject } from '../core/json.ts'
import type { Instant } from '../core/instant.ts'
import type { Params, StripeRequest } from '../engine/ports.ts'
import { readRanges } from './ranges.ts'

export interface ListSource {
  /** The project's name for the account, for messages. */
  readonly name: string
  send(request: StripeRequest): Promise<Outcome<StripeObject>>
  now(): Instant
  sleep(milliseconds: number): Promise<void>
  /** 0 to 1, to spread retries. */
  random(): number
  /** Waits between the attempts to read one page, in milliseconds. */
  readonly pauses?: readonly number[]
}

/** Lists with `created` ranges, which are read in parallel. */
const ranged = new Set(
  'charges coupons customers events invoiceitems invoices payment_intents prices products promotion_codes subscription_schedules subscriptions tax_rates'
    .split(' ')
    .map((resource) => `/v1/${resource}`),
)

/** In these lists an object created during the reading may wait for the next reading. */
const catalogPaths = new Set(
  'coupons prices products promotion_codes tax_rates'.split(' ').map((resource) => `/v1/${resource}`),
)

const pageSize = 100
/** A catalog of a thousand objects of a kind is read without a probe for an empty range. */
const pagesOfCatalog = 10
/**
 * Waits between the attempts to read one page: about a minute and a half altogether. Not those of
 * core/backoff.ts, which have no jitter: parallel ranges of one list fail together, so their
 * retries are spread.
 */
export const pauses: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]

/**
 * Every object of a list, newest first. One page is one request. When there are more pages and the
 * list supports `created`, its ranges are read in parallel, and objects created during the reading
 * are fetched at the end (they come before every cursor).
 */
export async function* readList(source: ListSource, path: string, params: Params): AsyncGenerator<StripeObject> {
  const started = source.now()
  const page: ReadPage = (extra) => readPage(source, path, { limit: pageSize, ...params, ...extra })
  const first = await page({})
  yield* first.data
  if (!first.hasMore) return
  const inRanges = ranged.has(path) && params['created'] === undefined && params['limit'] === undefined
  if (!inRanges) return yield* readOn(page, first)

  const recent = new Set<string>()
  const note = (object: StripeObject): void => {
    if (object.id !== undefined && createdAt(object) >= started) recent.add(object.id)
  }
  first.data.forEach(note)
  for await (const object of readRanges(page, first, catalogPaths.has(path) ? pagesOfCatalog : undefined)) {
    note(object)
    yield object
  }
  if (catalogPaths.has(path)) return
  const since = (extra: Params): Promise<Page> => page({ ...extra, created: { gte: started } })
  const late = await since({})
  for (const object of late.data) if (!recent.has(object.id ?? '')) yield object
  if (!late.hasMore) return
  for await (const object of readOn(since, late)) if (!recent.has(object.id ?? '')) yield object
}

/** The pages after the first one, in sequence. */
async function* readOn(page: ReadPage, first: Page): AsyncGenerator<StripeObject> {
  for (let last = first; last.hasMore;) {
    last = await page(last.next ?? { starting_after: cursor(last) })
    yield* last.data
  }
}

async function readPage(source: ListSource, path: string, params: Params): Promise<Page> {
  const outcome = await readPatiently(source, path, params)
  if (outcome.ok) {
    const { object, data, has_more: hasMore } = outcome.value as JsonObject
    if (object === 'list' && Array.isArray(data) && typeof hasMore === 'boolean') {
      const next = nextOf(outcome.value)
      if (next === 'unreadable') throw unreadable(source, path, 'the address of the next page is malformed')
      const read: Page = { data: data as readonly StripeObject[], hasMore, ...next }
      if (hasMore && params['starting_after'] !== undefined && read.data.at(-1)?.id === params['starting_after'])
        throw unreadable(source, path, 'Stripe returns the same page repeatedly')
      return read
    }
    throw unreadable(source, path, 'the answer is not a list')
  }
  const { failure } = outcome
  if (failure.code === 'resource_missing' && (await isUnknownCustomer(source, params['customer'])))
    return { data: [], hasMore: false }
  throw unreadable(source, path, `${failure.message} (${failure.code})`, failure)
}

/** Lists of the second API name the address of their next page. */
function nextOf({ next_page_url: url }: JsonObject): Pick<Page, 'next'> | 'unreadable' {
  if (typeof url !== 'string') return {}
  const parsed = URL.parse(url, 'https://api.stripe.com')
  return parsed === null ? 'unreadable' : { next: { page: parsed.searchParams.get('page') ?? '' } }
}

/** One object by its path, with the same retries as a page of a list. */
export async function readOne(source: ListSource, path: string, params: Params): Promise<StripeObject> {
  const outcome = await readPatiently(source, path, params)
  if (outcome.ok) return outcome.value
  const { failure } = outcome
  throw unreadable(source, path, `${failure.message} (${failure.code})`, failure)
}

/** Repeats a read while Stripe answers with temporary errors. */
export async function readPatiently(
  source: Pick<ListSource, 'send' | 'sleep' | 'random'> & {
    readonly pauses?: readonly number[] | ((failure: Failure) => readonly number[])
  },
  path: string,
  params: Params,
): Promise<Outcome<StripeObject>> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await source.send({ method: 'GET', path, params })
    if (outcome.ok || outcome.failure.kind !== 'retryable') return outcome
    const waits = source.pauses ?? pauses
    const pause = (typeof waits === 'function' ? waits(outcome.failure) : waits)[attempt]
    if (pause === undefined) return outcome
    const asked = (outcome.failure.retryAfter ?? 0) * 1_000
    await source.sleep(Math.max(asked, pause * (0.5 + source.random() / 2)))
  }
}

/**
 * Stripe refuses a list of a customer that the account never had, for instance before a copy; the
 * list is then empty. The list of a deleted customer is not treated as empty.
 */
async function isUnknownCustomer(source: ListSource, customer: unknown): Promise<boolean> {
  if (typeof customer !== 'string') return false
  const outcome = await readPatiently(source, `/v1/customers/${customer}`, {})
  return !outcome.ok && outcome.failure.status === 404 && outcome.failure.code === 'resource_missing'
}

/** The failure is the cause of the error: its status shows whether the key was refused. */
function unreadable(source: ListSource, path: string, why: string, failure?: Failure): CommandError {
  const permission = failure?.status === 401 || failure?.status === 403
  return new CommandError('list_unreadable', `account ${source.name}: ${path} cannot be read: ${why}`, {
    notDone: 'an incomplete list is never used',
    fix: permission
      ? `give the key of account ${source.name} the permission to read this, see "crossbill doctor"`
      : 'run the command again when Stripe answers',
    ...(failure === undefined ? {} : { cause: failure }),
  })
}
