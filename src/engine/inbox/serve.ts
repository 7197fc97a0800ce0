import { explainEnd } from '../../cancel/reasons.ts'
import { formatInstant, instant, isDue, secondsPerDay } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { mayBeEntering, sweepCards } from '../cards/sweep.ts'
import { isUnfinished } from '../handover/hand-over.ts'
import { applyLease, serveLease } from '../lease.ts'
import type { Lease } from '../ports.ts'
import { reportBug } from './bugs.ts'
import { archiveFinished } from './archive.ts'
import { tellAccepted, tellRefused } from './credentials.ts'
import { pollTags, rememberedTags, type SeenTags } from './poll-tags.ts'
import { pollAccess, type KnownGone } from './poll.ts'
import { readBackProducts, type KnownDark } from './read-back.ts'
import { lastReconciliation, reconcile, reconcileLease, type ReconcileContext } from './reconcile.ts'
import { startWorker } from './worker.ts'

export interface ServeOptions {
  /** Signals processed at the same time. */
  readonly atOnce: number
  readonly pollSeconds: number
  /**
   * Finishes or undoes hand-overs that a run left unfinished. Called only while no run holds the
   * store.
   */
  readonly recover: () => Promise<void>
}

export interface Serving {
  /** Reports that a signal was stored. */
  wake(): void
  /**
   * Ends when the signals in progress are done, or after this many seconds: then the rest are
   * released.
   */
  stop(seconds?: number): Promise<void>
  /** Settles when the worker has ended. */
  readonly ended: Promise<void>
}

/**
 * The longest time that no process polls, reconciles or recovers after the leading process died.
 */
const leaseSeconds = 15
const tickSeconds = 1
const monitorSeconds = 10
/** The service promises seconds: a signal that has waited this long needs a person. */
const lateSeconds = 60
/** Consecutive failed polls of Kajabi before an alert is sent. */
const failuresAllowed = 3
const recoverSeconds = 60
/**
 * Seconds between two checks of what offers really open: each costs as many reads as a full poll.
 */
const readBackSeconds = 3_600
/** Seconds between two looks for cards whose members did not return from Stripe's page. */
const cardSeconds = 300
/** Seconds between two removals of old signals. */
const archiveSeconds = 3_600
/** Two days without a reconciliation. */
const staleSeconds = 2 * secondsPerDay
/** Seconds before a failed reconciliation is tried again. */
const retryReconcile = 600

/**
 * The service behind its HTTP endpoints. Every process works on the inbox; the process that holds
 * the lease also polls, reconciles and checks for late signals. When it dies, another takes over
 * the lease within seconds.
 */
export function startServing(context: ReconcileContext, options: ServeOptions): Serving {
  const worker = startWorker(context, options.atOnce)
  const duties = new Duties(context, options, () => worker.wake())
  let stopped = false
  const again = async (duty: () => Promise<void>): Promise<void> => {
    while (!stopped) {
      try {
        await duty()
      } catch (error) {
        context.log({ level: 'error', event: 'duty_failed', error: error instanceof Error ? error.name : 'unknown' })
        reportBug(context, error, 'a duty of the service')
      }
      if (!stopped) await context.wait(tickSeconds)
    }
  }
  // Waiting signals are watched separately, because a poll of Kajabi may take minutes.
  const leading = Promise.all([again(() => duties.round(() => stopped)), again(() => duties.watch())])
  return {
    wake: () => worker.wake(),
    ended: worker.ended,
    async stop(seconds) {
      stopped = true
      await worker.stop(seconds)
      // The lease is released first: a poll in progress may take minutes, and another process can
      // lead in the meantime.
      await duties.release()
      if (seconds === undefined) await leading
    },
  }
}

/** The duties that only one process has at a time. */
class Duties {
  private lease: Lease | undefined
  private renewal: NodeJS.Timeout | undefined
  private pollAt = 0
  private monitorAt = 0
  private reconcileAt = 0
  private recoverAt = 0
  private failures = 0
  private readBackAt = 0
  private cardsAt = 0
  private archiveAt = 0
  private deadCauses: ReadonlySet<string> = new Set()
  private seen: SeenTags | undefined
  private readonly gone: KnownGone = new Map()
  private readonly dark: KnownDark = new Map()
  private readonly wake: () => void
  private readonly context: ReconcileContext
  private readonly options: ServeOptions
  constructor(context: ReconcileContext, options: ServeOptions, wake: () => void) {
    this.wake = wake
    this.context = context
    this.options = options
  }

  async round(stopped: () => boolean): Promise<void> {
    if (!(await this.leads())) return
    const now = this.context.clock()
    if (isDue(this.recoverAt, now, recoverSeconds) && !stopped()) {
      this.recoverAt = now + recoverSeconds
      await this.recover()
    }
    if (isDue(this.pollAt, now, this.options.pollSeconds) && !stopped()) {
      await this.poll()
      this.pollAt = this.context.clock() + this.options.pollSeconds
    }
    if (isDue(this.cardsAt, now, cardSeconds) && !stopped()) await this.cards()
    if (isDue(this.archiveAt, now, archiveSeconds) && !stopped()) {
      this.archiveAt = now + archiveSeconds
      await archiveFinished(this.context, stopped)
    }
    if (isDue(this.readBackAt, now, readBackSeconds) && !stopped()) await this.readBack()
    if (isDue(this.reconcileAt, now, secondsPerDay) && !stopped()) await this.reconcile()
  }

  async watch(): Promise<void> {
    const now = this.context.clock()
    if (this.lease === undefined || !isDue(this.monitorAt, now, monitorSeconds)) return
    this.monitorAt = now + monitorSeconds
    await this.monitor()
  }

  async release(): Promise<void> {
    clearInterval(this.renewal)
    try {
      await this.lease?.release()
    } catch (error) {
      reportBug(this.context, error, 'the lease of the service')
      // The store does not answer; the lease expires within seconds.
    }
  }

  /**
   * Renewed separately from the duties, some of which take minutes, and by a timer, so that a clock
   * that is set backwards cannot stop it.
   */
  private async leads(): Promise<boolean> {
    if (this.lease !== undefined) return true
    this.lease = await this.context.store.acquire(serveLease, this.context.run, leaseSeconds)
    if (this.lease === undefined) return false
    // Another process may have led in the meantime, so its record is newer.
    this.seen = undefined
    this.renewal = setInterval(() => void this.renew(), (leaseSeconds * 1_000) / 3).unref()
    return true
  }

  private async renew(): Promise<void> {
    try {
      if (this.lease !== undefined && (await this.lease.renew())) return
      clearInterval(this.renewal)
      this.lease = undefined
    } catch (error) {
      reportBug(this.context, error, 'the lease of the service')
      // An unavailable store may be back before the lease expires.
      this.context.log({ level: 'error', event: 'lease_not_renewed', error: error instanceof Error ? error.name : '' })
    }
  }

  private async poll(): Promise<void> {
    this.seen ??= await rememberedTags(this.context)
    const tags = await pollTags(this.context, this.seen)
    if ((tags ?? 0) > 0) this.wake()
    const poll = await pollAccess(this.context, this.gone)
    if (poll.signals > 0) this.wake()
    const read = poll.read && tags !== undefined
    this.failures = read ? 0 : this.failures + 1
    const unreadable = { key: 'kajabi_unreadable', severity: 'warning', fix: 'crossbill doctor' } as const
    if (read) {
      this.context.alert({ ...unreadable, summary: 'Kajabi can be read again', resolved: true })
      tellAccepted(this.context)
    } else if (this.failures >= failuresAllowed)
      this.context.alert({
        ...unreadable,
        summary: 'Kajabi cannot be read: cancels by tag wait, and revokes are not noticed',
      })
  }

  private async readBack(): Promise<void> {
    this.readBackAt = this.context.clock() + readBackSeconds
    if (this.context.kajabi === undefined) return
    const read = await readBackProducts(this.context, this.dark)
    if (read.ok) this.context.log({ level: 'info', event: 'access_read_back', ...read.value })
    else this.context.log({ level: 'warn', event: 'read_back_failed', code: read.failure.code })
  }

  private async cards(): Promise<void> {
    this.cardsAt = this.context.clock() + cardSeconds
    if (!(await mayBeEntering(this.context))) return
    const swept = await sweepCards(this.context)
    if (!swept.ok) this.context.log({ level: 'warn', event: 'cards_not_read', code: swept.failure.code })
  }

  /** A running apply does this itself. */
  private async recover(): Promise<void> {
    const unfinished = (await this.context.store.subscribers()).filter(isUnfinished)
    if (unfinished.length === 0 || (await this.context.store.leaseHolder(applyLease)) !== undefined) return
    this.context.log({ level: 'warn', event: 'recovering', subscribers: unfinished.length })
    await this.options.recover()
    const left = (await this.context.store.subscribers()).filter(isUnfinished)
    const half = {
      key: 'unfinished_hand_over',
      severity: 'critical',
      fix: 'crossbill verify; crossbill apply',
    } as const
    if (left.length === 0) this.context.alert({ ...half, summary: 'no hand-over is unfinished', resolved: true })
    else
      this.context.alert({
        ...half,
        summary: `${left.length} subscribers are half-way between accounts: ${left
          .slice(0, 5)
          .map(({ key }) => key)
          .join(', ')}`,
      })
  }

  private async monitor(): Promise<void> {
    const { oldestPending, states } = await this.context.inbox.counts()
    const age = oldestPending === undefined ? 0 : this.context.clock() - oldestPending
    const late = { key: 'oldest_pending', severity: 'critical', fix: 'crossbill inbox list' } as const
    if (age > lateSeconds) this.context.alert({ ...late, summary: `a cancel has waited for ${age} s` })
    else this.context.alert({ ...late, summary: 'no cancel waits', resolved: true })
    await this.tellDead(states.dead)
    const last = await lastReconciliation(this.context)
    if (last !== undefined && this.context.clock() - last.at > staleSeconds)
      this.context.alert({ ...staleAlert, summary: `the last reconciliation was on ${formatInstant(last.at)}` })
  }

  /**
   * One alert per cause, with the words of the first message. After a restart each cause is
   * reported once more; the alert is resolved with its last entry.
   */
  private async tellDead(dead: number): Promise<void> {
    const causes = dead === 0 ? [] : await this.context.inbox.causes('dead')
    for (const { cause, rows } of causes) {
      const { means = '', next = '' } = explainEnd({ id: '', state: 'dead', reason: cause }) ?? {}
      const group = `dead ${cause}`
      const summary = `${rows} ${rows === 1 ? 'signal waits' : 'signals wait'} for a person (${cause}). ${means} ${next}`
      this.context.alert({ key: group, group, severity: 'critical', summary, fix: 'crossbill inbox list --state dead' })
    }
    const now = new Set(causes.map(({ cause }) => cause))
    for (const cause of this.deadCauses)
      if (!now.has(cause)) {
        const group = `dead ${cause}`
        const summary = `no signal waits for a person any more (${cause})`
        this.context.alert({ key: group, group, severity: 'critical', summary, fix: '', resolved: true })
      }
    this.deadCauses = now
  }

  private async reconcile(): Promise<void> {
    const last = await lastReconciliation(this.context)
    const now = this.context.clock()
    const due = instant((last?.at ?? now - secondsPerDay) + secondsPerDay)
    this.reconcileAt = Math.max(due, now + 1)
    if (due > now) return
    // An operator started a reconciliation; when it ends, this one is done.
    if ((await this.context.store.leaseHolder(reconcileLease)) !== undefined) return
    const why = await this.tryReconcile()
    if (why === undefined) {
      this.context.alert({ ...staleAlert, summary: 'reconciliation succeeds again', resolved: true })
      return
    }
    this.reconcileAt = now + retryReconcile
    this.context.alert({ ...staleAlert, summary: `reconciliation failed: ${why}` })
  }

  /** Why it failed; undefined when it succeeded. */
  private async tryReconcile(): Promise<string | undefined> {
    try {
      const outcome = await reconcile(this.context)
      if (outcome.ok) return undefined
      tellRefused(this.context, outcome.failure)
      return `${outcome.failure.message} (${outcome.failure.code})`
    } catch (error) {
      if (error instanceof CommandError) return `${error.message} (${error.code})`
      throw error
    }
  }
}

const staleAlert = { key: 'reconciliation_stale', severity: 'warning', fix: 'crossbill inbox reconcile' } as const
