import { addAll } from '../core/lists.ts'
import type { StripeObject } from '../core/json.ts'
import { createdAt, cursor, type Page, type ReadPage } from './pages.ts'

/** Parallel requests for one list: enough for 25 requests per second at 300 ms each. */
const lanes = 8
/** A shorter list is read page by page, because an empty half costs a request. */
const pagesBeforeFirst = 4
/** Pages that must be read for each half that is empty or still unknown. */
const pagesPerEmpty = 10
/**
 * A list that seems to have more pages than this, by the density of the last page read, is shared
 * among the lanes from the beginning. The ranges before the account's first object are then found
 * empty while others are read, one request each.
 */
const pagesOfLong = 64
const pagesPerEmptyOfLong = 1
/** No object is older than Stripe itself: 2010-01-01. */
const beginning = 1_262_304_000

/** A range of `created`, read newest first. It gives its older part to an idle lane. */
interface Stretch {
  /** The lowest `created` of this stretch. */
  from: number
  /** The highest `created`; undefined for the range that continues the first page. */
  readonly until: number | undefined
  cursor: string | undefined
  readonly waiting: StripeObject[]
  done: boolean
  /** Given to another lane, which has not read a page of it. */
  unseen: boolean
  older: Stretch | undefined
}

/**
 * The objects after the first page of a list, newest first. Their distribution over time is unknown
 * before they are read, so a stretch is halved whenever a lane is idle: an empty half costs one
 * request, a dense half is halved again.
 */
export async function* readRanges(
  page: ReadPage,
  first: Page,
  shortest = pagesBeforeFirst,
): AsyncGenerator<StripeObject> {
  let running = 0
  let pages = 1
  /** The number of given-away stretches that are empty, as far as is known. */
  let empty = 0
  let stopped = false
  let failure: { error: unknown } | undefined
  let wake = (): void => {}

  const read = async (stretch: Stretch): Promise<void> => {
    running++
    try {
      while (!stopped && failure === undefined && !stretch.done) await readNext(stretch)
    } catch (error) {
      failure ??= { error }
    } finally {
      running--
      wake()
    }
  }
  const readNext = async (stretch: Stretch): Promise<void> => {
    const next = await page({
      created: { gte: stretch.from, ...(stretch.until === undefined ? {} : { lte: stretch.until }) },
      ...(stretch.cursor === undefined ? {} : { starting_after: stretch.cursor }),
    })
    pages++
    if (stretch.unseen && next.data.length > 0) empty--
    stretch.unseen = false
    addAll(stretch.waiting, next.data)
    stretch.done = !next.hasMore
    if (!stretch.done) {
      stretch.cursor = cursor(next)
      share(stretch, next)
    }
    wake()
  }
  const share = (stretch: Stretch, last: Page): void => {
    const isLong = shortest === pagesBeforeFirst && pagesLeft(stretch, last) > pagesOfLong
    const enough = isLong ? pagesPerEmptyOfLong * empty : Math.max(shortest, pagesPerEmpty * empty)
    if (running >= lanes || pages < enough) return
    const older = olderHalf(stretch, last)
    if (older === undefined) return
    empty++
    void read(older)
  }

  let head: Stretch | undefined = {
    from: beginning,
    until: undefined,
    cursor: cursor(first),
    waiting: [],
    done: false,
    unseen: false,
    older: undefined,
  }
  share(head, first)
  void read(head)
  try {
    while (head !== undefined) {
      const caught: { error: unknown } | undefined = failure
      if (caught !== undefined) throw caught.error
      yield* head.waiting.splice(0)
      if (head.waiting.length > 0) continue
      if (head.done) head = head.older
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stopped = true
  }
}

/** The number of unread pages of a stretch, if they are as dense as the last one. */
function pagesLeft({ from }: Stretch, last: Page): number {
  const newest = createdAt(last.data[0] ?? { object: '' })
  const oldest = createdAt(last.data.at(-1) ?? { object: '' })
  return (oldest - from) / Math.max(newest - oldest, 1)
}

/** Splits the unread part of a stretch in two; undefined when fewer than two pages are expected. */
function olderHalf(stretch: Stretch, last: Page): Stretch | undefined {
  if (pagesLeft(stretch, last) < 2) return undefined
  const left = createdAt(last.data.at(-1) ?? { object: '' }) - stretch.from
  const middle = stretch.from + Math.floor(left / 2)
  const older: Stretch = {
    from: stretch.from,
    until: middle,
    cursor: undefined,
    waiting: [],
    done: false,
    unseen: true,
    older: stretch.older,
  }
  stretch.from = middle + 1
  stretch.older = older
  return older
}
