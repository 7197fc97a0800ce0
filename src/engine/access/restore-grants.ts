import type { Access } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import type { AccessPort } from '../access-port.ts'
import { givenByUrls } from './by-urls.ts'
import { protectedDays } from './carry-out.ts'
import { firstStart } from './claims.ts'
import type { AccessSurvey } from './survey.ts'

/**
 * Restores grants that this store does not have: of a lost store, or of an apply in another
 * checkout. It runs before a survey is recorded, and only for members who hold what they pay for
 * now. Read-only for Kajabi, and it reads nothing where no grant can be missing.
 *
 * | the member pays for the offer, holds it, and    | then                                        |
 * | ----------------------------------------------- | ------------------------------------------- |
 * | the store has the grant                         | nothing                                     |
 * | the store has recorded it as not Crossbill's    | nothing: it was given by hand               |
 * | the store has another grant of the contact      | nothing: that grant explains the mark       |
 * | the contact carries the mark of their customer  | Crossbill's grant, from their first start   |
 * | the contact carries no mark, or another one     | nothing: it was given by hand               |
 *
 * @returns how many grants were restored
 */
export async function restoreGrants(
  { kajabi, grants, offers }: AccessPort,
  { kept, claims }: Pick<AccessSurvey, 'kept' | 'claims'>,
  now: Instant,
): Promise<Outcome<number>> {
  const managed = new Set((await grants.grants()).map(({ contact }) => contact))
  const byHand = new Set((await grants.holdings()).map(nameOf))
  const unknown = kept.filter(
    (one) => !managed.has(one.contact) && !byHand.has(nameOf(one)) && !givenByUrls(offers, one.offer),
  )
  const protectedUntil = instant(now + protectedDays * secondsPerDay)
  const restored = []
  for (const [offer, held] of Map.groupBy(unknown, (one) => one.offer)) {
    const marks = await kajabi.noted(offers.offers[offer]?.kajabi ?? '')
    if (!marks.ok) return marks
    for (const { contact, subscribers, prices } of held) {
      const customer = marks.value.get(contact)
      if (customer === undefined || !subscribers.some((one) => claims.get(one)?.customer === customer)) continue
      const grantedAt = firstStart(subscribers.flatMap((one) => claims.get(one) ?? []))
      restored.push({ contact, offer, customer, subscribers, prices, grantedAt, protectedUntil })
    }
  }
  if (restored.length > 0) await grants.putGrants(restored)
  return success(restored.length)
}

/**
 * Offers that members without a live subscription hold, on contacts that carry Crossbill's mark.
 * The store does not know whether Crossbill granted them or a person gave them back later, so only
 * a person may decide. Read-only.
 * @returns addresses, as a plan names them
 */
export async function undecidedOffers(
  { kajabi, grants, offers }: AccessPort,
  { claims }: Pick<AccessSurvey, 'claims'>,
): Promise<Outcome<readonly string[]>> {
  const ours = new Set((await grants.grants()).map(nameOf))
  const all = [...claims.values()]
  const found: string[] = []
  for (const [offer, { kajabi: id, prices }] of readable(offers)) {
    const giving = all.filter((claim) => claim.prices.some((price) => prices.includes(price)))
    const paying = new Set(
      [...giving, ...all.filter(({ keepsAll }) => keepsAll === true)].flatMap((one) => (one.live ? [one.person] : [])),
    )
    const ended = new Map(giving.filter(({ person }) => !paying.has(person)).map((one) => [one.customer, one]))
    if (ended.size === 0) continue
    const marks = await kajabi.noted(id)
    if (!marks.ok) return marks
    for (const [contact, customer] of marks.value) {
      const claim = ended.get(customer)
      if (claim !== undefined && !ours.has(nameOf({ contact, offer })))
        found.push(`access.${claim.subscriber}.${offer}`)
    }
  }
  return success(found)
}

function readable(access: Access) {
  return Object.entries(access.offers).filter(([offer]) => !givenByUrls(access, offer))
}

function nameOf({ contact, offer }: { readonly contact: string; readonly offer: string }): string {
  return `${contact} ${offer}`
}
