import type { SubscriberKey } from '../../core/address.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import { readSides } from './live-sides.ts'
import type { Grant } from './port.ts'

/** While Crossbill itself takes an offer away, its absence is nobody's wish. */
const ownRevokeDays = 1

/**
 * Takes from one customer what Crossbill granted and nobody pays for any more. Whether somebody pays is read from both accounts now; what
 * cannot be read is left as it is. @returns how many offers were taken away.
 */
export async function followAccess(context: InboxContext, customer: string): Promise<Outcome<number>> {
  const { kajabi, inbox, access } = context
  if (kajabi === undefined) return success(0)
  let taken = 0
  for (const grant of await inbox.grants({ customer })) {
    const paid = await isPaidFor(context, grant)
    if (!paid.ok) return paid
    const offer = access.offers[grant.offer]?.kajabi
    if (paid.value || offer === undefined) continue
    const protectedUntil = instant(context.clock() + ownRevokeDays * secondsPerDay)
    await inbox.putGrants([{ ...grant, protectedUntil }])
    const revoked = await kajabi.revoke(grant.contact, offer)
    // Gone already is what was wanted.
    if (!revoked.ok && revoked.failure.code !== 'not_found') return revoked
    await inbox.removeGrants([grant])
    taken++
    context.log({ level: 'info', event: 'access_taken', contact: grant.contact, offer: grant.offer, customer })
  }
  return success(taken)
}

/** Whether any subscription that gives this grant is alive, in the account that bills it. */
export async function isPaidFor(context: InboxContext, grant: Grant): Promise<Outcome<boolean>> {
  for (const subscriber of grant.subscribers) {
    const both = await readSides(context, subscriber as SubscriberKey)
    if (!both.ok) return both
    const { old, successors } = both.value.sides
    if (successors === undefined)
      return {
        ok: false,
        failure: { kind: 'retryable', code: 'target_unreadable', message: 'the target could not be read', status: 0 },
      }
    if (old === 'live' || successors.some(({ live }) => live)) return success(true)
  }
  return success(false)
}
