import { givesAccess } from '../../live/subscription.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { givenByUrls } from '../access/by-urls.ts'
import { read } from '../send/perform.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'
import { givenBy } from './gives.ts'
import { readStanding } from './standing.ts'

/** While Crossbill itself takes an offer away, its absence is nobody's wish. */
const ownRevokeDays = 1

/** Whose access may have to go: everybody of a customer, or whoever one subscriber gave it to. */
export interface Followed {
  readonly customer?: string | undefined
  readonly subscriber?: string | undefined
}

/**
 * Takes from people what Crossbill granted and nobody pays for any more. Whether somebody pays is
 * read from both accounts now; what cannot be read is left as it is. @returns how many offers were
 * taken away.
 */
export async function followAccess(context: InboxContext, followed: Followed): Promise<Outcome<number>> {
  const { inbox, access } = context
  let taken = 0
  for (const grant of await grantsOf(context, followed)) {
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
    const { contact, customer } = grant
    context.log({ level: 'info', event: 'access_taken', contact, offer: grant.offer, customer })
  }
  return success(taken)
}

/**
 * One person may be two customers, one of each old account, and then the grant is noted under one
 * of them; so the subscriber is looked for, too.
 */
async function grantsOf({ inbox }: InboxContext, { customer, subscriber }: Followed): Promise<readonly Grant[]> {
  const theirs = customer === undefined ? [] : await inbox.grants({ customer })
  if (subscriber === undefined || theirs.some(({ subscribers }) => subscribers.includes(subscriber))) return theirs
  return [...theirs, ...(await inbox.grants({ subscriber }))]
}

/** By a subscriber that the grant knows, or by any other live subscription of its customer. */
async function isPaidFor(context: InboxContext, grant: Grant): Promise<Outcome<boolean>> {
  const standing = await readStanding(context, grant)
  if (!standing.ok) return standing
  if (standing.value.paid) return success(true)
  const other = await givenBy(context, grant.customer, grant.offer, givesAccess)
  return other.ok ? success(other.value !== undefined) : other
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
  return context.urls.deactivate(offer, person)
}
