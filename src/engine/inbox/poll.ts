import { digest } from '../../core/canonical.ts'
import type { AccessOffer } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay, secondsPerHour, type Instant } from '../../core/instant.ts'
import { protectedDays } from '../access/carry-out.ts'
import { asGrant } from '../access/remember.ts'
import { acceptSignal } from './accept.ts'
import { openBreaker } from './breaker.ts'
import type { InboxContext } from './context.ts'
import { tellRefused } from './credentials.ts'
import type { Grant } from '../grants.ts'
import { giveAgain } from './repair.ts'
import { readStanding } from './standing.ts'

/** The result of one poll of Kajabi. */
export interface Poll {
  /** Grants whose offer is missing. */
  readonly gone: number
  readonly repaired: number
  readonly signals: number
  /** False when Kajabi could not be read: then nothing was concluded. */
  readonly read: boolean
}

/**
 * Missing grants already reported, by contact and offer, with the time of their last check. They
 * are not checked again for an hour, because a check costs reads, and a new account has few.
 */
export type KnownGone = Map<string, Instant>

/**
 * When this many holders, and this share of them, lose an offer at once, the likely cause is a
 * fault in Kajabi, not many cancels.
 */
const suspiciousCount = 5
const suspiciousShare = 0.2

/**
 * Checks that every holder still has the offers that Crossbill granted, and the offers they held
 * without Crossbill at the last check. Kajabi reports no revokes, so polling is the only way to
 * notice one.
 *
 * | offer gone, and                       | then                                                  |
 * | ------------------------------------- | ----------------------------------------------------- |
 * | the list is empty, the contact has it | the breaker opens: an empty page is no answer         |
 * | protected, paid for                   | granted again, however many are gone                  |
 * | the same, not granted by Crossbill    | granted, and managed by Crossbill from then on        |
 * | many are gone, not protected          | the breaker opens: no cancels; an alert is sent       |
 * | the contact itself still has it       | nothing: Kajabi's lists do not always agree           |
 * | `revoked_means: cancel`               | a signal, which the worker verifies by two more reads |
 * | otherwise                             | an alert: in Kajabi a revoke is not a cancel          |
 */
export async function pollAccess(context: InboxContext, known: KnownGone = new Map()): Promise<Poll> {
  const { kajabi, inbox, access } = context
  const all = await inbox.grants()
  const poll = { gone: 0, repaired: 0, signals: 0, read: true }
  if (kajabi === undefined) return poll
  const missing = new Set<string>()
  const watched = (await inbox.holdings()).map(asGrant)
  for (const [key, offer] of Object.entries(access.offers)) {
    const mine = all.filter((grant) => grant.offer === key)
    const theirs = watched.filter((one) => one.offer === key && !mine.some(({ contact }) => contact === one.contact))
    if (mine.length + theirs.length === 0 || offer.urls !== undefined) continue
    const holders = await kajabi.holders(offer.kajabi)
    if (!holders.ok) {
      poll.read = false
      context.log({ level: 'warn', event: 'poll_failed', offer: key, code: holders.failure.code })
      tellRefused(context, holders.failure)
      continue
    }
    const there = new Set(holders.value.values())
    const gone = mine.filter(({ contact }) => !there.has(contact))
    const lost = theirs.filter(({ contact }) => !there.has(contact))
    for (const grant of [...gone, ...lost]) missing.add(nameOf(grant))
    poll.gone += gone.length + lost.length
    const everybody = { gone: [...gone, ...lost], mine: [...mine, ...theirs], holders: there.size }
    if (await isEmptyPage(context, everybody, offer)) {
      await openBreaker(context, `${gone.length} of ${mine.length} lost offer ${key} in Kajabi at once`)
      continue
    }
    const became = await lookInto(context, { key, offer, gone, mine }, known)
    poll.repaired += became.repaired
    poll.signals += became.signals
    for (const grant of lost) if (await giveLost(context, grant, { offer, known })) poll.repaired++
  }
  for (const name of known.keys()) if (!missing.has(name)) known.delete(name)
  return poll
}

function nameOf({ contact, offer }: Grant): string {
  return `${contact} ${offer}`
}

/** When the list is empty, one contact is read to check it. */
async function isEmptyPage(
  { kajabi }: InboxContext,
  { gone, mine, holders }: { gone: readonly Grant[]; mine: readonly Grant[]; holders: number },
  offer: AccessOffer,
): Promise<boolean> {
  const [first] = gone
  if (holders > 0 || mine.length < 2 || first === undefined) return false
  const own = await kajabi?.offersOf(first.contact)
  return own?.ok !== true || own.value.includes(offer.kajabi)
}

interface Gone {
  readonly key: string
  readonly offer: AccessOffer
  readonly gone: readonly Grant[]
  readonly mine: readonly Grant[]
}

/** Checks every protected grant first, then the others, unless suspiciously many are missing. */
async function lookInto(context: InboxContext, { key, offer, gone, mine }: Gone, known: KnownGone) {
  const at = context.clock()
  let [repaired, signals] = [0, 0]
  const unprotected: Grant[] = []
  for (const grant of gone.filter((one) => (known.get(nameOf(one)) ?? 0) <= at - secondsPerHour)) {
    const standing = await readStanding(context, grant)
    // Not readable now; the next poll checks it again.
    if (!standing.ok) continue
    if (!standing.value.paid) await forget(context, grant, offer)
    else if (!standing.value.isProtected) unprotected.push(grant)
    else if (await giveAgain(context, grant, offer)) repaired++
  }
  if (isSuspicious(unprotected.length, mine.length)) {
    await openBreaker(context, `${unprotected.length} of ${mine.length} lost offer ${key} in Kajabi at once`)
    return { repaired, signals }
  }
  for (const grant of unprotected) {
    if (await isStillThere(context, grant, offer)) continue
    if (offer.revoked_means === 'cancel' && offer.day_limit === undefined) {
      await signalGone(context, grant)
      signals++
    } else known.set(nameOf(grant), at)
  }
  tell(
    context,
    key,
    gone.filter((grant) => known.has(nameOf(grant))),
  )
  return { repaired, signals }
}

/**
 * The offer is gone and no subscription pays for it. That is correct, so the grant is forgotten.
 */
async function forget(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<void> {
  if (!(await isStillThere(context, grant, offer))) await context.inbox.removeGrants([grant])
}

/**
 * Grants an offer that Crossbill had not granted and that was lost around a move. Crossbill manages
 * it from then on, so the grant is stored before the request is sent.
 */
async function giveLost(
  context: InboxContext,
  grant: Grant,
  { offer, known }: { offer: AccessOffer; known: KnownGone },
): Promise<boolean> {
  const now = context.clock()
  if ((known.get(nameOf(grant)) ?? 0) > now - secondsPerHour) return false
  const standing = await readStanding(context, grant)
  if (!standing.ok) return false
  if (!standing.value.paid || !standing.value.isProtected) {
    known.set(nameOf(grant), now)
    return false
  }
  const protectedUntil = instant(now + protectedDays * secondsPerDay)
  await context.inbox.putGrants([{ ...grant, grantedAt: now, protectedUntil }])
  return giveAgain(context, grant, offer)
}

function isSuspicious(missing: number, granted: number): boolean {
  return missing >= suspiciousCount && missing > granted * suspiciousShare
}

/** Also true when the contact cannot be read: then nothing is concluded. */
async function isStillThere({ kajabi, log }: InboxContext, grant: Grant, offer: AccessOffer): Promise<boolean> {
  const own = await kajabi?.offersOf(grant.contact)
  if (own?.ok !== true) return own?.failure.code !== 'not_found'
  const there = own.value.includes(offer.kajabi)
  if (there) log({ level: 'info', event: 'lists_disagree', contact: grant.contact, offer: grant.offer })
  return there
}

async function signalGone(context: InboxContext, grant: Grant): Promise<void> {
  await acceptSignal(context, {
    source: 'poller',
    event: 'offer_gone',
    offer: grant.offer,
    contact: grant.contact,
    customer: grant.customer,
    receivedAt: context.clock(),
    message: digest([grant.contact, grant.offer, grant.grantedAt]),
  })
}

function tell(context: InboxContext, offer: string, gone: readonly Grant[]): void {
  const key = `offer_gone ${offer}`
  const fix = 'run "crossbill verify"; then grant the offer again in Kajabi, or run "crossbill cancel"'
  if (gone.length === 0)
    return context.alert({
      key,
      severity: 'warning',
      summary: `every member who pays for ${offer} has it in Kajabi`,
      fix,
      resolved: true,
    })
  const some = gone.slice(0, 5).flatMap(({ subscribers }) => subscribers)
  context.alert({
    key,
    severity: 'warning',
    summary: `${gone.length} ${gone.length === 1 ? 'member' : 'members'} who pay for ${offer} have lost it in Kajabi: ${some.join(', ')}${gone.length > 5 ? ' …' : ''}`,
    fix,
  })
}
