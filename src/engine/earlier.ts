import { address } from '../core/address.ts'
import type { Change, Plan } from '../plan/types.ts'
import type { Earlier } from './basis.ts'
import type { Context } from './context.ts'
import type { SubscriberRecord } from './ports.ts'

/** How far an earlier run of this very plan came, by the journal and by what is remembered of each subscriber. */
export async function progressOf(context: Context, plan: Plan): Promise<Pick<Earlier, 'done' | 'begun'>> {
  const records = new Map<string, SubscriberRecord>(
    (await context.store.subscribers()).map((record) => [address('subscriber', record.key), record]),
  )
  const done = new Set<Change>()
  const begun = new Set<Change>()
  for (const change of plan.changes) {
    if (isPerson(change)) {
      if (records.get(change.address)?.facts['finished'] === plan.plan) done.add(change)
      continue
    }
    const entries = (await context.store.journal({ address: change.address })).filter(
      ({ status }) => status === 'succeeded',
    )
    const sent = change.steps.filter(({ idempotency_key: key }) =>
      entries.some((one) => one.idempotencyKey.startsWith(key)),
    )
    if (sent.length > 0) (sent.length === change.steps.length ? done : begun).add(change)
  }
  return { done, begun }
}

/** Who gets or loses an offer. */
export function isAccess({ address: at }: Change): boolean {
  return at.startsWith('access.')
}

export function isPerson({ address: at }: Change): boolean {
  return at.startsWith('subscriber.')
}
