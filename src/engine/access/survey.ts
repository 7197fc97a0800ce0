import { newAddress } from '../../catalog/new-address.ts'
import { address, splitAddress } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { CommandError, success, type Outcome } from '../../core/outcome.ts'
import type { Live } from '../../live/accounts.ts'
import type { Drift } from '../../plan/types.ts'
import type { Holders } from '../../access/plan.ts'
import type { Context } from '../context.ts'
import type { Grant } from '../grants.ts'
import type { AccessPort } from '../access-port.ts'
import { givenByUrls, rememberedHolders } from './by-urls.ts'
import { accessChanges, readHolders, type AccessPlan } from './changes.ts'
import { claimsOf, takeable, type PersonalClaim } from './claims.ts'
import { accessDrift } from './drift.ts'

/** What was read of access, and the conclusions from it. */
export interface AccessSurvey extends AccessPlan {
  /** Offers that Crossbill granted and that were revoked outside it. */
  readonly drift: readonly Drift[]
  /** By address: the state of the offer when read, for the plan's basis. */
  readonly touched: ReadonlyMap<string, string>
  /** By subscriber, in memory only. */
  readonly claims: ReadonlyMap<string, PersonalClaim>
}

/**
 * Reads who holds which offer and compares it with who pays. Undefined for a project without
 * access, and while access.yaml has an error.
 * @throws CommandError `access_unreadable`: a plan without access would look like an empty plan
 */
export async function surveyAccess(
  { access, catalog }: Pick<Context, 'access' | 'catalog'>,
  live: Live,
): Promise<AccessSurvey | undefined> {
  if (access === undefined || access.offers.incomplete === true) return undefined
  const seen = await readAccess(access, catalog, live)
  if (seen.ok) return seen.value
  throw new CommandError(
    'access_unreadable',
    `Kajabi cannot be read, so who has access is unknown: ${seen.failure.message}`,
    {
      notDone: 'nothing was sent',
      fix: 'try again; `crossbill doctor` checks the credentials',
    },
  )
}

/** The same as an outcome, for callers that continue when Kajabi does not answer. */
export async function readAccess(
  access: AccessPort,
  catalog: Context['catalog'],
  live: Live,
): Promise<Outcome<AccessSurvey>> {
  const holders = await readHolders(access.kajabi, access.offers)
  if (!holders.ok) return holders
  const claims = claimsOf(catalog, live)
  const granted = (await access.grants.grants()).map((grant) => underPresentKeys(grant, catalog.moved))
  const known = new Map([...holders.value, ...rememberedHolders(access.offers, claims, granted)])
  const complete = await completed(access, claims, { holders: known, granted })
  if (!complete.ok) return complete
  const plan = accessChanges(access.offers, claims, complete.value, takeable(catalog, live, granted))
  const touched = new Map(plan.changes.map(({ address: at, action, expect }) => [at, digest([action, expect])]))
  const drift = accessDrift(plan.changes, granted)
  return success({ ...plan, drift, touched, claims: new Map(claims.map((claim) => [claim.subscriber, claim])) })
}

/** A grant keeps the key of a price that `moved:` has renamed, until the next apply. */
function underPresentKeys(grant: Grant, moved: Context['catalog']['moved']): Grant {
  return { ...grant, prices: grant.prices.map((key) => splitAddress(newAddress(address('price', key), moved)).key) }
}

/**
 * Kajabi's lists lag behind recent grants. A member who should hold Crossbill's grant and is not on
 * the list is read by contact. They are few, unless offers were revoked outside.
 */
async function completed(
  { kajabi, offers }: AccessPort,
  claims: readonly PersonalClaim[],
  { holders, granted }: { readonly holders: ReadonlyMap<string, Holders>; readonly granted: readonly Grant[] },
): Promise<Outcome<ReadonlyMap<string, Holders>>> {
  const complete = new Map([...holders].map(([offer, held]) => [offer, new Map(held)]))
  const paying = new Map(claims.filter(({ live }) => live).map((claim) => [claim.subscriber, claim.person]))
  const asked = new Map<string, readonly string[]>()
  for (const { contact, offer, subscribers } of granted) {
    const person = subscribers.map((one) => paying.get(one)).find((one) => one !== undefined)
    const held = complete.get(offer)
    if (person === undefined || held === undefined || held.has(person) || givenByUrls(offers, offer)) continue
    const known = asked.get(contact)
    const own = known === undefined ? await readOffers(kajabi, contact) : success(known)
    if (!own.ok) return own
    asked.set(contact, own.value)
    if (own.value.includes(offers.offers[offer]?.kajabi ?? '')) held.set(person, contact)
  }
  return success(complete)
}

async function readOffers(kajabi: AccessPort['kajabi'], contact: string): Promise<Outcome<readonly string[]>> {
  const answer = await kajabi.offersOf(contact)
  return answer.ok || answer.failure.code !== 'not_found' ? answer : success([])
}
