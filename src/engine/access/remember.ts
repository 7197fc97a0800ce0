import type { Granted } from '../../access/plan.ts'
import type { InboxStore } from '../inbox/port.ts'

/**
 * Notes by which subscribers somebody holds what Crossbill gave them: a second subscription may have come after the grant, and when the first ends the offer stays.
 * What was given by hand is not noted: it is not Crossbill's to take.
 */
export async function rememberSubscribers(
  grants: Pick<InboxStore, 'grants' | 'putGrants'>,
  kept: readonly Granted[],
): Promise<void> {
  const byName = new Map(kept.map((one) => [`${one.contact} ${one.offer}`, one.subscribers]))
  const changed = (await grants.grants()).flatMap((grant) => {
    const subscribers = byName.get(`${grant.contact} ${grant.offer}`)
    const same = subscribers === undefined || subscribers.join() === grant.subscribers.toSorted().join()
    return same ? [] : [{ ...grant, subscribers }]
  })
  if (changed.length > 0) await grants.putGrants(changed)
}
