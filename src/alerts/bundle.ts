import type { Instant } from '../core/instant.ts'
import type { Alert } from '../engine/inbox/context.ts'

/** Seconds without news after which a cause counts as new again. */
const forgetSeconds = 6 * 3_600
/**
 * Seconds between two digests about known causes: short at first, then longer. They limit messages
 * to people and retry nothing, so they are not the schedule of core/backoff.ts.
 */
const digestSeconds = [300, 900, 1_800, 3_600, 7_200]
/** Seconds after which a lasting cause is reported again; doubled each time. */
const remindSeconds = 3_600
/** Largest number of keys remembered for each cause. */
const remembered = 1_000

interface Cause {
  readonly keys: Set<string>
  since: Instant
  heardAt: Instant
  toldAt: Instant
  reminders: number
  severity: Alert['severity']
  /** The number of news since the last message, and the latest of them. */
  more: number
  last: Alert
}

/**
 * Decides which alerts become messages. The first alert of a cause is a message at once, so that
 * nothing hides it. Later alerts of open causes go into one digest, which becomes rarer over time.
 * A cause is the alert's `group`, or the first word of its key.
 */
export class Bundle {
  private readonly causes = new Map<string, Cause>()
  private digests = 0
  private digestAt: Instant | undefined

  /** Whether this key has not been reported since its cause began. */
  isNew(alert: Alert): boolean {
    return alert.resolved !== true && this.causes.get(causeOf(alert))?.keys.has(alert.key) !== true
  }

  /** The message to send now for this alert, if any. */
  take(alert: Alert, now: Instant): Alert | undefined {
    const name = causeOf(alert)
    const known = this.causes.get(name)
    if (alert.resolved === true) return this.end(name, alert)
    if (known === undefined || now - known.heardAt > forgetSeconds) return this.open(name, alert, now)
    const isNew = !known.keys.has(alert.key)
    const isWorse = alert.severity === 'critical' && known.severity === 'warning'
    if (known.keys.size < remembered) known.keys.add(alert.key)
    known.last = alert
    if (isWorse) {
      known.severity = 'critical'
      known.toldAt = now
      return inGroup(alert, name)
    }
    if (isNew) {
      known.heardAt = now
      known.more++
    } else if (now - known.toldAt >= remindSeconds * 2 ** known.reminders) {
      known.reminders++
      known.more++
    }
    if (known.more > 0) this.digestAt ??= (now + this.pause()) as Instant
    return undefined
  }

  /** Seconds until the next digest is due; undefined when there is no news. */
  waits(now: Instant): number | undefined {
    return this.digestAt === undefined ? undefined : Math.max(0, this.digestAt - now)
  }

  /** The news of all open causes in one message. */
  digest(now: Instant): Alert | undefined {
    const news = [...this.causes].filter(([, cause]) => cause.more > 0)
    this.digestAt = undefined
    if (news.length === 0) return undefined
    this.digests++
    const lines = news.map(([, { more, last }]) =>
      more === 1 ? last.summary : `${more} more, the last: ${last.summary}`,
    )
    const severity = news.some(([, { severity: one }]) => one === 'critical') ? 'critical' : 'warning'
    for (const [, cause] of news) {
      cause.more = 0
      cause.toldAt = now
    }
    const [only] = news
    if (news.length === 1 && only !== undefined)
      return { ...inGroup(only[1].last, only[0]), severity, summary: lines.join('') }
    return {
      key: 'digest',
      severity,
      summary: lines.join(' — '),
      fix: 'crossbill inbox list --state dead',
      digest: true,
    }
  }

  private open(name: string, alert: Alert, now: Instant): Alert {
    const { severity } = alert
    const cause = { keys: new Set([alert.key]), since: now, heardAt: now, toldAt: now, reminders: 0, severity, more: 0 }
    this.causes.set(name, { ...cause, last: alert })
    return inGroup(alert, name)
  }

  /**
   * Ends one key of a cause. The cause ends with its last key, or when the alert names the whole
   * cause.
   */
  private end(name: string, alert: Alert): Alert | undefined {
    const known = this.causes.get(name)
    if (known === undefined) return undefined
    if (alert.key !== name && !(known.keys.delete(alert.key) && known.keys.size === 0)) return undefined
    this.causes.delete(name)
    if (this.causes.size === 0) this.digests = 0
    return inGroup(alert, name)
  }

  private pause(): number {
    return digestSeconds[Math.min(this.digests, digestSeconds.length - 1)] ?? 300
  }
}

function inGroup(alert: Alert, name: string): Alert {
  return name === alert.key ? alert : { ...alert, group: name }
}

function causeOf({ group, key }: Alert): string {
  return group ?? key.split(' ', 1)[0] ?? key
}
