import type { AccessOffer } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { protectedDays } from '../access/carry-out.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'

/** Gives an offer again that is not on the contact. @returns whether Kajabi took it */
export async function giveAgain(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  return said(context, grant, await give(context, grant, offer))
}

/**
 * Takes an offer away and gives it again: where Kajabi lists an offer whose products are switched
 * off, giving it once more changes nothing. In between it looks like a revoke, so the grant is
 * protected first, durably and for every process: a poll in between, and the next one after a crash
 * in between, give it again.
 * @returns whether Kajabi took it
 */
export async function takeAndGiveAgain(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  const { kajabi, inbox } = context
  if (kajabi === undefined) return false
  // As long as after any grant: a service that died in between may be down for days.
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
