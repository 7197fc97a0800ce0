import type { SubscriberKey } from '../../core/address.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { givenByUrls } from '../access/by-urls.ts'
import { read } from '../perform.ts'
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
  const { inbox, access } = context
  let taken = 0
  for (const grant of await inbox.grants({ customer })) {
    const paid = await isPaidFor(context, grant)
    if (!paid.ok) return paid
    const offer = access.offers[grant.offer]?.kajabi
    if (paid.value || offer === undefined) continue
    const protectedUntil = instant(context.clock() + ownRevokeDays * secondsPerDay)
    await inbox.putGrants([{ ...grant, protectedUntil }])
    const revoked = await takeAway(context, grant, offer)
    if (!revoked.ok) return revoked
    if (!revoked.value) continue
    await inbox.removeGrants([grant])
    taken++
    context.log({ level: 'info', event: 'access_taken', contact: grant.contact, offer: grant.offer, customer })
  }
  return success(taken)
}

/** False when there is no way to take it: nothing is then said to be taken. */
async function takeAway(context: InboxContext, grant: Grant, offer: string): Promise<Outcome<boolean>> {
  if (givenByUrls(context.access, grant.offer)) return takeByUrl(context, grant)
  if (context.kajabi === undefined) return success(false)
  const revoked = await context.kajabi.revoke(grant.contact, offer)
  // Gone already is what was wanted.
  return revoked.ok || revoked.failure.code === 'not_found' ? success(true) : revoked
}

/** The address that Kajabi asks for is read from Stripe, passed on and forgotten. */
async function takeByUrl(context: InboxContext, { customer, offer }: Grant): Promise<Outcome<boolean>> {
  if (context.urls === undefined) return success(false)
  const who = await read(context, context.accounts.target, `/v1/customers/${customer}`)
  if (!who.ok) return who
  const { email, name } = who.value
  if (typeof email !== 'string') return success(false)
  const person = { email, name: typeof name === 'string' ? name : '', externalId: customer }
  const revoked = await context.urls.deactivate(offer, person)
  return revoked.ok || revoked.failure.code === 'not_found' ? success(true) : revoked
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
