import type { BreakerReading } from '../../cancel/breaker.ts'
import { targetAccount } from '../../catalog/types.ts'
import { isBug } from '../../core/assert.ts'
import { instant, isDue, type Instant } from '../../core/instant.ts'
import { breakerNow } from './breaker.ts'
import { reportBug } from './bugs.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'
import { workRow } from './row.ts'

/**
 * Seconds without a renewal before another worker takes over the rows. A live worker renews three
 * times in that time.
 */
const leaseSeconds = 15
/**
 * The lease of a single pass, in seconds, which is not renewed: longer than any request with its
 * retries.
 */
const lookSeconds = 120
/** Seconds between passes without a wake-up: retries become due, and other processes die. */
const idleSeconds = 1
/** Seconds between passes while the store does not answer. */
const storeSeconds = 1
/** Seconds that the store is away before an alert is sent. */
const storeAwaySeconds = 30
/**
 * Rows of a backlog in progress at once. The remaining workers, and most of Stripe's rate limit,
 * stay free for new arrivals. At 200 ms a call, this many rows use an account's hundred requests a
 * second, and a new cancel waits for only a few requests.
 */
const oldAtOnce = 24
/**
 * Rows of a backlog in progress at the start, and when an account answers again after an outage.
 * Each finished row allows one more. So the full backlog does not hit a recovering account at once,
 * and a new cancel, which is claimed first, does not queue behind it. New cancels do not wait for
 * this.
 */
const firstAtOnce = 12
/** Rows in progress in total, including those that wait for Kajabi. */
const mostInHand = 512

/** The result of one pass over the inbox. */
export interface WorkDone {
  readonly handled: number
  readonly breaker: BreakerReading
}

/**
 * One pass: claims what waits and finishes it. For an operator's command and for tests; the service
 * runs continuously (`startWorker`).
 */
export async function workInbox(context: InboxContext, limit: number): Promise<WorkDone> {
  const { reading, left } = await breakerNow(context)
  const rows = await claim(context, { limit, left, lane: 'old' }, lookSeconds)
  const lines = new Lines(context)
  await Promise.all(rows.map((row) => lines.work(row)))
  return { handled: rows.length, breaker: reading }
}

/**
 * Claims up to `limit` waiting rows. When the breaker allows no more cancels, it claims only
 * signals that cancel nothing: a removed hold must not wait for a person.
 */
async function claim(
  context: InboxContext,
  { limit, left, lane }: { readonly limit: number; readonly left: number; readonly lane: 'fresh' | 'old' },
  seconds: number,
): Promise<readonly InboxRow[]> {
  if (limit <= 0) return []
  const now = context.clock()
  const which = left > 0 ? { limit: Math.min(limit, left), cancels: true } : { limit, cancels: false }
  return context.inbox.claim(context.run, now, instant(now + seconds), { ...which, lane })
}

/**
 * Rows about one person are processed one after the other, since they may mean the same
 * subscription; other rows are processed in parallel.
 */
class Lines {
  private readonly lasts = new Map<string, Promise<void>>()
  private readonly context: InboxContext
  constructor(context: InboxContext) {
    this.context = context
  }

  async work(row: InboxRow): Promise<void> {
    const person = personOf(row)
    const before = this.lasts.get(person) ?? Promise.resolve()
    const mine = before.then(() => workRow(this.context, row))
    this.lasts.set(person, mine)
    try {
      await mine
    } finally {
      if (this.lasts.get(person) === mine) this.lasts.delete(person)
    }
  }
}

function personOf({ id, signal }: InboxRow): string {
  return signal.subscriber ?? signal.contact ?? signal.customer ?? id
}

export interface Worker {
  /** Reports a new row: the next pass starts now. */
  wake(): void
  /**
   * Claims nothing more. Ends when the rows in progress are done, or after `seconds`: then it
   * releases them for another process or the next start.
   */
  stop(seconds?: number): Promise<void>
  /** Settles when the worker has ended. A bug of this program is reported and does not end it. */
  readonly ended: Promise<void>
}

/**
 * Processes the inbox while the service runs, with up to `atOnce` rows in progress. An open breaker
 * leaves every row in place: nothing is cancelled and nothing dropped. When the store cannot be
 * read, the worker waits for it. While the account that every cancel needs does not answer, nothing
 * is claimed.
 */
export function startWorker(context: InboxContext, atOnce: number): Worker {
  const work = new Hands(context, atOnce)
  const ended = work.run()
  return {
    wake: () => work.wake(),
    ended,
    async stop(seconds = Infinity) {
      const giveUp = work.stop(seconds)
      await Promise.race([ended, giveUp])
    },
  }
}

class Hands {
  private readonly lines: Lines
  private readonly inHand = new Map<string, { readonly lane: 'fresh' | 'old'; readonly work: Promise<void> }>()
  /** Rows whose work ended while the store did not answer; released as soon as it does. */
  private readonly stranded = new Set<string>()
  private knocked = (): void => {}
  private awake = false
  private stopped = false
  private renewAt = 0
  private room = firstAtOnce
  /** Rows in progress that wait for an answer from Kajabi. */
  private atKajabi = 0
  /** Rows in progress whose member is not billed any more: the rest is not urgent. */
  private readonly unbilled = new Set<string>()
  /** Time of the first pass that failed since the last that succeeded. */
  private storeAwayAt: Instant | undefined
  private storeAlerted = false
  private readonly context: InboxContext
  private readonly atOnce: number
  constructor(context: InboxContext, atOnce: number) {
    this.context = context
    this.atOnce = atOnce
    this.lines = new Lines({
      ...context,
      kajabi: this.counted(context.kajabi),
      unbilled: (id) => {
        this.unbilled.add(id)
        this.wake()
      },
    })
  }

  wake(): void {
    this.awake = true
    this.knocked()
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      this.awake = false
      try {
        await this.giveBack()
        await this.renew()
        const claimed = await this.look()
        this.storeAnswers()
        if (!claimed) await this.rest(idleSeconds)
      } catch (error) {
        reportBug(this.context, error, 'the worker')
        this.storeFails(error)
        await this.rest(storeSeconds)
      }
    }
    while (this.inHand.size > 0) {
      await this.renew().catch((error: unknown) => unreadable(this.context, error))
      await Promise.race([...[...this.inHand.values()].map(({ work }) => work), this.context.wait(idleSeconds)])
    }
    await this.giveBack().catch((error: unknown) => unreadable(this.context, error))
  }

  /** Resolves when the rows in progress have been given up. */
  async stop(seconds: number): Promise<void> {
    this.stopped = true
    this.knocked()
    if (seconds === Infinity) return new Promise(() => {})
    await this.context.wait(seconds)
    for (const id of this.inHand.keys()) this.stranded.add(id)
    await this.giveBack().catch((error: unknown) => unreadable(this.context, error))
  }

  /** Claims as many rows as there is room for; false when it claimed none. */
  private async look(): Promise<boolean> {
    if (this.context.isAway?.(targetAccount) === true) {
      this.room = firstAtOnce
      return false
    }
    const { left } = await breakerNow(this.context)
    const fresh = await claim(this.context, { limit: this.roomForFresh(), left, lane: 'fresh' }, leaseSeconds)
    for (const row of fresh) this.start(row, 'fresh')
    const old = [...this.inHand.values()].filter(({ lane }) => lane === 'old').length
    const limit = Math.min(oldAtOnce - old, this.roomFor(Math.min(this.room, this.atOnce)))
    const rest = { limit, left: left - fresh.length, lane: 'old' } as const
    const later = left > 0 && left <= fresh.length ? [] : await claim(this.context, rest, leaseSeconds)
    for (const row of later) this.start(row, 'old')
    return fresh.length + later.length > 0
  }

  /**
   * Kajabi takes about one request a second. A row that waits for it does not count, so that it
   * cannot block a cancel that needs only Stripe.
   */
  private roomFor(most: number): number {
    return Math.min(most - (this.inHand.size - this.atKajabi), mostInHand - this.inHand.size)
  }

  /**
   * After its cancel is confirmed, a row only reads and follows access. It takes no place from a
   * member who is still billed.
   */
  private roomForFresh(): number {
    const billed = Math.max(0, this.inHand.size - this.unbilled.size - this.atKajabi)
    return Math.min(this.atOnce - billed, mostInHand - this.inHand.size)
  }

  private counted(kajabi: InboxContext['kajabi']): InboxContext['kajabi'] {
    if (kajabi === undefined) return undefined
    const count = (by: 1 | -1): void => {
      this.atKajabi += by
      if (by === 1) this.wake()
    }
    return new Proxy(kajabi, {
      get(site, name, self) {
        const call: unknown = Reflect.get(site, name, self)
        if (typeof call !== 'function') return call
        return async (...given: readonly unknown[]): Promise<unknown> => {
          count(1)
          try {
            return (await Reflect.apply(call, site, given)) as unknown
          } finally {
            count(-1)
          }
        }
      },
    })
  }

  private start(row: InboxRow, lane: 'fresh' | 'old'): void {
    const work = this.lines
      .work(row)
      .catch((error: unknown) => {
        unreadable(this.context, error)
        this.stranded.add(row.id)
      })
      .finally(() => {
        this.inHand.delete(row.id)
        this.unbilled.delete(row.id)
        this.room = Math.min(this.room + 1, this.atOnce)
        this.wake()
      })
    this.inHand.set(row.id, { lane, work })
  }

  /** Only rows in progress keep their lease; a dropped row is free for the next worker. */
  private async renew(): Promise<void> {
    const now = this.context.clock()
    if (this.inHand.size === 0 || !isDue(this.renewAt, now, leaseSeconds)) return
    await this.context.inbox.renew(this.context.run, [...this.inHand.keys()], instant(now + leaseSeconds))
    this.renewAt = now + leaseSeconds / 3
  }

  /** One line when it begins; an alert when it lasts, because no signal is accepted meanwhile. */
  private storeFails(error: unknown): void {
    const { context } = this
    const now = context.clock()
    if (this.storeAwayAt === undefined) logUnreadable(context, error)
    this.storeAwayAt ??= now
    if (this.storeAlerted || isBug(error) || now - this.storeAwayAt < storeAwaySeconds) return
    this.storeAlerted = true
    context.alert({
      ...storeAway,
      summary:
        'the store does not answer: signals are refused, and their senders send them again. Nothing is cancelled',
    })
  }

  private storeAnswers(): void {
    if (this.storeAwayAt === undefined) return
    this.storeAwayAt = undefined
    this.context.log({ level: 'info', event: 'store_readable' })
    if (!this.storeAlerted) return
    this.storeAlerted = false
    this.context.alert({ ...storeAway, summary: 'the store answers again', resolved: true })
  }

  private async giveBack(): Promise<void> {
    if (this.stranded.size === 0) return
    const ids = [...this.stranded]
    await this.context.inbox.release(this.context.run, ids)
    for (const id of ids) this.stranded.delete(id)
  }

  private async rest(seconds: number): Promise<void> {
    if (this.awake || this.stopped) return
    await Promise.race([this.context.wait(seconds), new Promise<void>((resolve) => (this.knocked = resolve))])
  }
}

const storeAway = {
  key: 'store_away',
  severity: 'critical',
  fix: 'crossbill doctor',
} as const

/**
 * The row is released as soon as the store answers; otherwise another process takes it when its
 * lease expires.
 */
function unreadable(context: InboxContext, error: unknown): void {
  reportBug(context, error, 'the worker')
  logUnreadable(context, error)
}

function logUnreadable(context: InboxContext, error: unknown): void {
  context.log({ level: 'error', event: 'store_unreadable', error: error instanceof Error ? error.name : 'unknown' })
}
