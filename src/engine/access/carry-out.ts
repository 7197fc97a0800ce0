import { backoff } from '../../core/backoff.ts'
import type { Access } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { type JsonObject, objectIn } from '../../core/json.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import type { Keyless } from '../../plan/change.ts'
import type { AccessChange, RevokeChange } from '../../plan/types.ts'
import type { GrantStore } from '../grants.ts'
import type { KajabiSite, OfferUrls } from '../kajabi-port.ts'
import type { Store } from '../ports.ts'
import { givenByUrls } from './by-urls.ts'
import type { PersonalClaim } from './claims.ts'

export interface AccessWork {
  readonly kajabi: KajabiSite
  readonly urls?: OfferUrls
  readonly grants: Pick<GrantStore, 'grants' | 'putGrants' | 'removeGrants'>
  readonly notes: Pick<Store, 'get' | 'put'>
  readonly access: Access
  /** By subscriber: the source of a new contact's e-mail address. */
  readonly claims: ReadonlyMap<string, PersonalClaim>
  /** What is known of contacts without asking for each; `marks` grows with the run. */
  readonly known: KnownContacts
  readonly now: Instant
  wait(seconds: number): Promise<void>
}

export interface KnownContacts {
  /** Whether every contact of the site was listed. An address of two contacts is missing then. */
  readonly complete: boolean
  readonly contacts: Map<string, string>
  readonly marks: Map<string, string>
}

/** Fewer grants look up their contacts one by one. */
const directoryFrom = 10
/** A page with a hundred contacts may spare this many look-ups at most. */
const sparedPerPage = 2

/**
 * One list instead of a search for each grant, where the site is small enough for that to be
 * cheaper. Without the list, each contact is searched.
 */
export async function knownContacts(kajabi: KajabiSite, grants: number): Promise<KnownContacts> {
  const nothing = { complete: false, contacts: new Map<string, string>(), marks: new Map<string, string>() }
  if (grants < directoryFrom) return nothing
  const listed = await kajabi.directory(Math.floor(grants / sparedPerPage))
  if (!listed.ok || listed.value === undefined) return nothing
  const { contacts, marks } = listed.value
  return { complete: true, contacts: new Map(contacts), marks: new Map(marks) }
}

/**
 * From the hold until this many days after settling, old integrations may revoke what they think
 * has ended. A gap in that time is repaired and is never a cancel.
 */
export const protectedDays = 7

const tries = 4

/**
 * Grants or revokes one offer and records it. Safe to repeat: Kajabi accepts a second grant. A
 * grant is recorded before it is sent, so that a crash in between cannot leave an offer that
 * Crossbill would never revoke.
 */
export async function carryOutAccess(work: AccessWork, change: Keyless<AccessChange>): Promise<Outcome<true>> {
  const { offer, subscribers } = change.expect
  const id = work.access.offers[offer]?.kajabi
  if (id === undefined) return failed(missing('offer_unknown', `access.yaml has no offer ${offer}`))
  if (givenByUrls(work.access, offer)) return byUrls(work, change)
  return change.action === 'grant' ? grant(work, { offer, id, subscribers }) : revoke(work, change, id)
}

async function grant(
  work: AccessWork,
  { offer, id, subscribers }: { offer: string; id: string; subscribers: readonly string[] },
): Promise<Outcome<true>> {
  const claim = subscribers.map((one) => work.claims.get(one)).find((one) => one !== undefined)
  if (claim === undefined) return failed(missing('person_unknown', 'the customer has no e-mail address in Stripe'))
  const { kajabi } = work
  const contact = await contactOf(work, claim)
  if (!contact.ok) return contact
  const welcome = work.access.offers[offer]?.welcome_email ?? false
  const protectedUntil = instant(work.now + protectedDays * secondsPerDay)
  const { customer } = claim
  await work.notes.put(unnotedKey, { ...(await unnoted(work)), [contact.value]: customer })
  // A repeated grant to the same subscriber keeps its date, so that a cancel request from before
  // the repeat still means it.
  const before = (await work.grants.grants({ contact: contact.value })).find((one) => one.offer === offer)
  const same = before?.subscribers.some((one) => subscribers.includes(one)) ?? false
  const grantedAt = before !== undefined && same ? before.grantedAt : work.now
  const prices = pricesGiving(work, offer, subscribers)
  const given = { contact: contact.value, offer, customer, subscribers, prices }
  await work.grants.putGrants([{ ...given, grantedAt, protectedUntil }])
  const granted = await patiently(work, () => kajabi.grant(contact.value, id, { welcome }))
  if (!granted.ok) return granted
  await note(work, contact.value, customer)
  return success(true)
}

async function contactOf(
  { kajabi, known, ...work }: AccessWork,
  { person: email, name }: PersonalClaim,
): Promise<Outcome<string>> {
  const address = email.trim().toLowerCase()
  const there = known.contacts.get(address)
  if (there !== undefined) return success(there)
  const contact = await patiently(work, () => kajabi.ensureContact({ email, name, unlisted: known.complete }))
  if (contact.ok) known.contacts.set(address, contact.value)
  return contact
}

/** The paid prices for which the offer is given, for the grant's record. */
function pricesGiving(
  { access, claims }: Pick<AccessWork, 'access' | 'claims'>,
  offer: string,
  subscribers: readonly string[],
): readonly string[] {
  const paid = new Set(subscribers.flatMap((one) => claims.get(one)?.prices ?? []))
  return (access.offers[offer]?.prices ?? []).filter((price) => paid.has(price)).toSorted()
}

/** Contacts that were granted an offer and do not carry the customer's id yet. */
const unnotedKey = 'access.unnoted'

async function unnoted({ notes }: Pick<AccessWork, 'notes'>): Promise<JsonObject> {
  const known = await notes.get(unnotedKey)
  return objectIn(known)
}

/**
 * Writes the customer's id on the contact. It is Crossbill's mark in Kajabi, from which a lost
 * store is rebuilt, and a second key in hooks. It can be set only after the grant, and access does
 * not depend on it: the next apply sets what failed or crashed.
 */
async function note(
  work: Pick<AccessWork, 'kajabi' | 'notes' | 'wait'> & Partial<Pick<AccessWork, 'known'>>,
  contact: string,
  customer: string,
): Promise<void> {
  const marks = work.known?.marks
  if (marks?.get(contact) !== customer) {
    const noted = await patiently(work, () => work.kajabi.setExternalId(contact, customer))
    if (!noted.ok && (noted.failure.kind === 'retryable' || noted.failure.kind === 'unknown')) return
    if (noted.ok) marks?.set(contact, customer)
  }
  const { [contact]: _done, ...left } = await unnoted(work)
  await work.notes.put(unnotedKey, left)
}

/** Sets the marks that an earlier run could not set. */
export async function noteAgain(work: Pick<AccessWork, 'kajabi' | 'notes' | 'wait'>): Promise<void> {
  for (const [contact, customer] of Object.entries(await unnoted(work)))
    if (typeof customer === 'string') await note(work, contact, customer)
}

/** The customer stands for the contact, and is the id that Kajabi needs again for the revoke. */
async function byUrls(
  { urls, claims, grants, now, ...work }: AccessWork,
  change: Keyless<AccessChange>,
): Promise<Outcome<true>> {
  const { offer, subscribers } = change.expect
  if (urls === undefined) return failed(missing('offer_url_missing', `the URLs of offer ${offer} are not set`))
  const granting = change.action === 'grant'
  const mine = [...claims.values()].filter((claim) =>
    granting ? subscribers.includes(claim.subscriber) : claim.customer === change.expect.contact,
  )
  const [claim] = mine
  if (claim === undefined) return failed(missing('person_unknown', 'the customer has no e-mail address in Stripe'))
  const { person: email, name, customer } = claim
  const who = { email, name, externalId: customer }
  if (granting) {
    const protectedUntil = instant(now + protectedDays * secondsPerDay)
    const prices = pricesGiving({ access: work.access, claims }, offer, subscribers)
    const given = { contact: customer, offer, customer, subscribers, prices }
    await grants.putGrants([{ ...given, grantedAt: now, protectedUntil }])
    return patiently(work, () => urls.activate(offer, who))
  }
  const revoked = await patiently(work, () => urls.deactivate(offer, who))
  if (!revoked.ok) return revoked
  await grants.removeGrants([{ contact: customer, offer }])
  return success(true)
}

async function revoke(
  work: AccessWork,
  { expect: { contact, offer } }: Keyless<RevokeChange>,
  id: string,
): Promise<Outcome<true>> {
  const revoked = await patiently(work, () => work.kajabi.revoke(contact, id))
  // An offer that is already gone counts as revoked.
  if (!revoked.ok && revoked.failure.code !== 'not_found') return revoked
  await work.grants.removeGrants([{ contact, offer }])
  return success(true)
}

/**
 * Grants, revokes and contact look-ups are safe to repeat, so every temporary failure is retried.
 */
async function patiently<T>(work: Pick<AccessWork, 'wait'>, once: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  for (let turn = 1; ; turn++) {
    const outcome = await once()
    if (outcome.ok || turn === tries || (outcome.failure.kind !== 'retryable' && outcome.failure.kind !== 'unknown'))
      return outcome
    await work.wait(backoff(turn, outcome.failure.retryAfter))
  }
}

function missing(code: string, message: string): Failure {
  return { kind: 'rejected', code, message, status: 0 }
}
