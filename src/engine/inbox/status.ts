import type { Instant } from '../../core/instant.ts'
import { cardCounts, type CardCounts } from '../cards/seen.ts'
import { applyLease, serveLease } from '../lease.ts'
import { breakerNow } from './breaker.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'
import { lastReconciliation } from './reconcile.ts'

/** The status for the person on call. */
export interface ServiceStatus {
  readonly states: Readonly<Record<string, number>>
  readonly oldestPendingSeconds: number | undefined
  readonly breaker: string | undefined
  readonly lastReconciliation:
    | {
        readonly at: Instant
        /** Differences that a person must fix: offers that are paid for and missing. */
        readonly differences: number
        /** By kind: `missing`, `taken`, `hooks`, `holds`. */
        readonly found: Readonly<Record<string, number>>
      }
    | undefined
  /** Members' card links that this store knows, by state; absent before the first. */
  readonly cards?: CardCounts
  /** Who leads the service, and who applies a plan, now. */
  readonly leases?: readonly StatusLease[]
  readonly dead: readonly StatusRow[]
  readonly waiting: readonly StatusRow[]
}

interface StatusLease {
  readonly work: 'leads the service' | 'applies a plan'
  readonly holder: string
  readonly expires: Instant
}

export interface StatusRow {
  readonly id: string
  readonly acceptedAt: Instant
  readonly state: string
  readonly reason: string
}

const shown = 20

export async function serviceStatus(context: InboxContext): Promise<ServiceStatus> {
  const [counts, breaker, reconciled, dead, retry, cancelling, received, cards, leases] = await Promise.all([
    context.inbox.counts(),
    breakerNow(context),
    lastReconciliation(context),
    context.inbox.list({ state: 'dead', limit: shown }),
    context.inbox.list({ state: 'retry', limit: shown }),
    context.inbox.list({ state: 'cancelling', limit: shown }),
    context.inbox.list({ state: 'received', limit: shown }),
    cardCounts(context.store),
    leasesNow(context),
  ])
  return {
    states: counts.states,
    oldestPendingSeconds:
      counts.oldestPending === undefined ? undefined : Math.max(context.clock() - counts.oldestPending, 0),
    breaker: breaker.reading.open ? breaker.reading.reason : undefined,
    lastReconciliation: reconciled && {
      at: reconciled.at,
      differences: reconciled.missing,
      found: {
        missing: reconciled.missing,
        taken: reconciled.taken,
        hooks: reconciled.hooksCreated,
        holds: reconciled.holds,
      },
    },
    ...(cards === undefined ? {} : { cards }),
    leases,
    dead: dead.map(statusRow),
    waiting: [...cancelling, ...retry, ...received].slice(0, shown).map(statusRow),
  }
}

async function leasesNow({ store }: InboxContext): Promise<readonly StatusLease[]> {
  const works = [
    ['leads the service', serveLease],
    ['applies a plan', applyLease],
  ] as const
  const found = await Promise.all(works.map(async ([work, name]) => ({ work, held: await store.leaseHolder(name) })))
  return found.flatMap(({ work, held }) => (held === undefined ? [] : [{ work, ...held }]))
}

function statusRow({ id, acceptedAt, now }: InboxRow): StatusRow {
  return { id, acceptedAt, state: now.state, reason: 'reason' in now ? now.reason : '' }
}
