import type { AccessOffer } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { protectedDays } from '../access/carry-out.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'

/** Grants an offer again that is missing on the contact. @returns whether Kajabi accepted it */
export async function giveAgain(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  return said(context, grant, await give(context, grant, offer))
}

/**
 * Revokes an offer and grants it again: when Kajabi lists an offer whose products are switched off,
 * a second grant alone changes nothing. In between, the offer looks revoked, so the grant is
 * protected first, durably and for every process. A poll in between, or the first poll after a
 * crash, then grants it again.
 * @returns whether Kajabi accepted it
 */
export async function takeAndGiveAgain(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  const { kajabi, inbox } = context
  if (kajabi === undefined) return false
  // The same time as after any grant: a service that crashed in between may be down for days.
  const protectedUntil = instant(Math.max(grant.protectedUntil, context.clock() + protectedDays * secondsPerDay))
  await inbox.putGrants([{ ...grant, protectedUntil }])
  const taken = await kajabi.revoke(grant.contact, offer.kajabi)
  if (!taken.ok && taken.failure.code !== 'not_found') return said(context, grant, taken)
  return said(context, grant, await give(context, grant, offer))
}

async function give({ kajabi }: InboxContext, grant: Grant, offer: AccessOffer): Promise<Outcome<true>> {
  return (await kajabi?.grant(grant.contact, offer.kajabi, { welcome: false })) ?? success(true)
}

function said(context: InboxContext, { contact, offer }: Grant, outcome: Outcome<true>): boolean {
  context.log({ level: outcome.ok ? 'info' : 'warn', event: 'access_repaired', contact, offer, ok: outcome.ok })
  return outcome.ok
}
