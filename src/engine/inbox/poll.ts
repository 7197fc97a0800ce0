import { digest } from '../../core/canonical.ts'
import type { AccessOffer } from '../../access/schema.ts'
import { acceptSignal } from './accept.ts'
import { openBreaker } from './breaker.ts'
import type { InboxContext } from './context.ts'
import { isPaidFor } from './follow-access.ts'
import type { Grant } from './port.ts'

/** What one look at Kajabi came to. */
export interface Poll {
  /** Grants whose offer is not there. */
  readonly gone: number
  readonly repaired: number
  readonly signals: number
  /** False when Kajabi could not be read: then nothing was concluded. */
  readonly read: boolean
}

/** At once gone, this many and this share of an offer's holders, is a fault of the other side rather than so many wishes. */
const suspiciousCount = 5
const suspiciousShare = 0.2

/**
 * Looks whether everybody still holds what Crossbill granted. Kajabi tells nobody about a revoke, so this is the only way to hear of one.
 *
 * | offer gone, and        | then                                                                             |
 * |------------------------|----------------------------------------------------------------------------------|
 * | so are many others     | the breaker opens: nothing is cancelled, somebody is called                      |
 * | protected, paid for    | given again: around a move old integrations revoke what they think has ended     |
 * | `revoked_means: cancel`| a signal, which the worker verifies by two more reads                            |
 * | otherwise              | somebody is told: in Kajabi a revoke is not a cancel                             |
 */
export async function pollAccess(context: InboxContext): Promise<Poll> {
  const { kajabi, inbox, access } = context
  const all = await inbox.grants()
  let [gone, repaired, signals, read] = [0, 0, 0, true]
  if (kajabi === undefined) return { gone, repaired, signals, read }
  for (const [key, offer] of Object.entries(access.offers)) {
    const mine = all.filter((grant) => grant.offer === key)
    if (mine.length === 0 || offer.urls !== undefined) continue
    const holders = await kajabi.holders(offer.kajabi)
    if (!holders.ok) {
      read = false
      context.log({ level: 'warn', event: 'poll_failed', offer: key, code: holders.failure.code })
      continue
    }
    const there = new Set(holders.value.values())
    const missing = mine.filter(({ contact }) => !there.has(contact))
    gone += missing.length
    if (suspicious(missing.length, mine.length, there.size)) {
      await openBreaker(context, `${missing.length} of ${mine.length} lost offer ${key} in Kajabi at once`)
      continue
    }
    const told: Grant[] = []
    for (const grant of missing) {
      const became = await actOn(context, grant, offer)
      if (became === 'repaired') repaired++
      else if (became === 'signal') signals++
      else if (became === 'tell') told.push(grant)
    }
    tell(context, key, told)
  }
  return { gone, repaired, signals, read }
}

function suspicious(missing: number, granted: number, holders: number): boolean {
  if (holders === 0 && granted > 1) return true
  return missing >= suspiciousCount && missing > granted * suspiciousShare
}

async function actOn(
  context: InboxContext,
  grant: Grant,
  offer: AccessOffer,
): Promise<'repaired' | 'signal' | 'tell' | 'nothing'> {
  if (grant.protectedUntil > context.clock()) return (await repair(context, grant, offer)) ? 'repaired' : 'nothing'
  if (offer.revoked_means !== 'cancel' || offer.day_limit !== undefined) return 'tell'
  await acceptSignal(context, {
    source: 'poller',
    event: 'offer_gone',
    offer: grant.offer,
    contact: grant.contact,
    customer: grant.customer,
    receivedAt: context.clock(),
    message: digest([grant.contact, grant.offer, grant.grantedAt]),
  })
  return 'signal'
}

/** Gives an offer again that somebody pays for. Whose subscription has ended gets nothing: then its absence is right. */
async function repair(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  const paid = await isPaidFor(context, grant)
  if (!paid.ok || !paid.value || context.kajabi === undefined) return false
  const granted = await context.kajabi.grant(grant.contact, offer.kajabi, { welcome: false })
  const { contact, offer: key } = grant
  context.log({ level: granted.ok ? 'info' : 'warn', event: 'access_repaired', contact, offer: key, ok: granted.ok })
  return granted.ok
}

function tell(context: InboxContext, offer: string, gone: readonly Grant[]): void {
  const key = `offer_gone ${offer}`
  const fix = 'crossbill verify; give it again in Kajabi, or cancel with "crossbill cancel"'
  if (gone.length === 0)
    return context.alert({ key, severity: 'warning', summary: `${offer} is where it should be`, fix, resolved: true })
  const some = gone.slice(0, 5).flatMap(({ subscribers }) => subscribers)
  context.alert({
    key,
    severity: 'warning',
    summary: `${gone.length} ${gone.length === 1 ? 'member' : 'members'} who pay for ${offer} have lost it in Kajabi: ${some.join(', ')}${gone.length > 5 ? ' …' : ''}`,
    fix,
  })
}
