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

/** What one look at Kajabi came to. */
export interface Poll {
  /** Grants whose offer is not there. */
  readonly gone: number
  readonly repaired: number
  readonly signals: number
  /** False when Kajabi could not be read: then nothing was concluded. */
  readonly read: boolean
}

/**
 * Missing grants that somebody is told of, by contact and offer, and when they were looked into.
 * They are not asked about again for an hour, since asking costs reads, of which a new account has
 * few.
 */
export type KnownGone = Map<string, Instant>

/**
 * At once gone, this many and this share of an offer's holders, is a fault of the other side rather
 * than so many wishes.
 */
const suspiciousCount = 5
const suspiciousShare = 0.2

/**
 * Looks whether everybody still holds what Crossbill granted, or what they held without it when it
 * last looked. Kajabi tells nobody about a revoke, so this is the only way to hear of one.
 *
 * | offer gone, and                          | then                                                                             |
 * |------------------------------------------|----------------------------------------------------------------------------------|
 * | nobody is on the list, the contact says otherwise | the breaker opens: an empty page is no answer                           |
 * | protected, paid for                      | given again, however many: old integrations revoke what they think has ended     |
 * | so, and it was not Crossbill's           | given all the same, and Crossbill's from then on                                 |
 * | so are many others, not protected        | the breaker opens: nothing is cancelled, somebody is called                      |
 * | the contact itself still has it          | nothing: Kajabi's lists do not always agree                                      |
 * | `revoked_means: cancel`                  | a signal, which the worker verifies by two more reads                            |
 * | otherwise                                | somebody is told: in Kajabi a revoke is not a cancel                             |
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

/** Nobody is on the list: then one contact itself is asked. */
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

/**
 * First those who are protected, each of them; then the others, unless there are suspiciously many.
 */
async function lookInto(context: InboxContext, { key, offer, gone, mine }: Gone, known: KnownGone) {
  const at = context.clock()
  let [repaired, signals] = [0, 0]
  const unprotected: Grant[] = []
  for (const grant of gone.filter((one) => (known.get(nameOf(one)) ?? 0) <= at - secondsPerHour)) {
    const standing = await readStanding(context, grant)
    // Not readable now: looked into again by the next poll.
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
 * Nobody pays for it and it is not there: as it should be, so there is nothing left to remember.
 */
async function forget(context: InboxContext, grant: Grant, offer: AccessOffer): Promise<void> {
  if (!(await isStillThere(context, grant, offer))) await context.inbox.removeGrants([grant])
}

/**
 * What was not Crossbill's and was taken around a move is given by it, and is its own from then on;
 * remembered before it is sent.
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

/** True also when the contact cannot be asked: then nothing is concluded. */
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
