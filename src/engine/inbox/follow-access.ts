import { textIn } from '../../core/json.ts'
import { givesAccess } from '../../live/subscription.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { givenByUrls } from '../access/by-urls.ts'
import { read } from '../send/perform.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'
import { givenBy, wronglyMapped } from './gives.ts'
import { listedOnce } from './listed-once.ts'
import { readStanding } from './standing.ts'

/** While Crossbill itself revokes an offer, its absence is not a cancel request. */
const ownRevokeDays = 1

/** Whose access to check: every grant of a customer, and the grants that one subscriber gave. */
export interface Followed {
  readonly customer?: string | undefined
  readonly subscriber?: string | undefined
}

/**
 * Revokes the offers that Crossbill granted and that no subscription pays for any more. Both
 * accounts are read now to decide this; what cannot be read is left unchanged.
 * @returns how many offers were revoked.
 */
export async function followAccess(context: InboxContext, followed: Followed): Promise<Outcome<number>> {
  const { inbox, access } = context
  // What a subscription gives is unknown while access.yaml has an error. A later reconciliation
  // revokes what is due.
  if (access.incomplete === true) return success(0)
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
 * One person may be two customers, one in each old account, and the grant is stored under only one
 * of them. So the subscriber is looked up as well.
 */
async function grantsOf({ inbox }: InboxContext, { customer, subscriber }: Followed): Promise<readonly Grant[]> {
  const theirs = customer === undefined ? [] : await inbox.grants({ customer })
  if (subscriber === undefined || theirs.some(({ subscribers }) => subscribers.includes(subscriber))) return theirs
  return [...theirs, ...(await inbox.grants({ subscriber }))]
}

/** Paid by a subscriber that the grant names, or by another live subscription of its customer. */
async function isPaidFor(around: InboxContext, grant: Grant): Promise<Outcome<boolean>> {
  const context = { ...around, accounts: listedOnce(around.accounts) }
  const standing = await readStanding(context, grant)
  if (!standing.ok) return standing
  if (standing.value.paid) return success(true)
  const other = await givenBy(context, grant.customer, grant.offer, givesAccess)
  if (!other.ok) return other
  if (other.value !== undefined) return success(true)
  // What a wrongly mapped price gives is unknown, so its payer keeps everything.
  const unsure = await wronglyMapped(context, grant.customer, givesAccess)
  return unsure.ok ? success(unsure.value !== undefined) : unsure
}

/** False when there is no way to revoke the offer; it is then not reported as revoked. */
async function takeAway(context: InboxContext, grant: Grant, offer: string): Promise<Outcome<boolean>> {
  if (givenByUrls(context.access, grant.offer)) return takeByUrl(context, grant)
  if (context.kajabi === undefined) return success(false)
  const revoked = await context.kajabi.revoke(grant.contact, offer)
  // An offer that is already gone counts as revoked.
  return revoked.ok || revoked.failure.code === 'not_found' ? success(true) : revoked
}

/** The e-mail address that Kajabi needs is read from Stripe, passed on and not stored. */
async function takeByUrl(context: InboxContext, { customer, offer }: Grant): Promise<Outcome<boolean>> {
  if (context.urls === undefined) return success(false)
  const who = await read(context, context.accounts.target, `/v1/customers/${customer}`)
  if (!who.ok) return who
  const { email, name } = who.value
  if (typeof email !== 'string') return success(false)
  const person = { email, name: textIn(name), externalId: customer }
  return context.urls.deactivate(offer, person)
}
