import type { Access } from '../catalog/schemas/access.ts'

/**
 * One subscriber's claim to access: the prices they pay for, and the person they are. It is built
 * in memory; the person is never written.
 */
export interface Claim {
  /** `us/sub_…` */
  readonly subscriber: string
  /**
   * Lower-cased e-mail address: the only identifier that the old accounts and Kajabi share for one
   * person.
   */
  readonly person: string
  /** Keys in prices.yaml of the prices that the account bills. */
  readonly prices: readonly string[]
  /**
   * Whether the subscription is live in the account that bills it now. A subscription that is set
   * to end is live until it ends.
   */
  readonly live: boolean
  /**
   * The catalog does not declare this subscription (the member subscribed again, or the YAML was
   * removed), or excludes it. It grants nothing by itself, but a member who pays for it does not
   * lose what its prices give.
   */
  readonly keepsOnly?: true
  /**
   * It bills a price that the catalog does not know, so that what the member pays for is unknown:
   * they lose nothing.
   */
  readonly keepsAll?: true
}

/** A grant from Crossbill's store. The store knows the person by the Kajabi contact only. */
export interface Granted {
  readonly contact: string
  readonly offer: string
  readonly subscribers: readonly string[]
  /** Keys in prices.yaml of the paid prices that gave the offer. Absent: not known. */
  readonly prices?: readonly string[]
}

/** The holders of an offer in Kajabi: contact id by person. */
export type Holders = ReadonlyMap<string, string>

export type AccessDecision = Decided &
  /** A grant finds or creates the contact. */
  (
    | { readonly kind: 'grant' }
    | { readonly kind: 'revoke'; readonly contact: string; readonly paying: Paying | undefined }
    | { readonly kind: 'keep'; readonly contact: string; readonly prices: readonly string[] }
  )

/** What a member who loses an offer still pays for, by subscriptions that the grant names. */
export interface Paying {
  /** Keys in prices.yaml, in a stable order. */
  readonly prices: readonly string[]
  /**
   * Those of `prices` for which the catalog gave the offer, or may have given it, and no longer
   * does. Empty: the member has changed the subscription.
   */
  readonly noLonger: readonly string[]
}

interface Decided {
  /** Key in access.yaml. */
  readonly offer: string
  /** Every subscriber of this person that gives (or gave) the offer, in a stable order. */
  readonly subscribers: readonly string[]
  readonly person: string
}

/**
 * Decides which person gets, keeps or loses which offer. There is one grant per person and offer,
 * however many subscriptions give it. Only Crossbill's own grants are revoked: an offer granted by
 * hand stays, and a person without a claim and without a grant keeps everything.
 *
 * | pays for it | holds it | granted by Crossbill | decision |
 * |-------------|----------|----------------------|----------|
 * | yes         | no       | any                  | grant    |
 * | yes         | yes      | any                  | keep     |
 * | no          | yes      | yes                  | revoke   |
 * | no          | yes      | no                   | (nothing)|
 * | no          | no       | any                  | (nothing)|
 *
 * The address of a person may change in Stripe while the contact keeps the old one. A grant is
 * therefore known by its subscribers: while they pay for the offer, the contact that got it keeps
 * it, and no other contact gets it.
 *
 * A person who pays for the offer through an undeclared or excluded subscription, or pays a price
 * that the catalog does not know, keeps what they hold: (nothing).
 */
export function planAccess(
  access: Access,
  claims: readonly Claim[],
  holders: ReadonlyMap<string, Holders>,
  granted: readonly Granted[],
): AccessDecision[] {
  const decisions: AccessDecision[] = []
  const unsure = new Set(claims.flatMap(({ keepsAll, person }) => (keepsAll === true ? [person] : [])))
  for (const [offer, { prices }] of Object.entries(access.offers).sort(byKey)) {
    const giving = new Set(prices)
    const holding: Holders = holders.get(offer) ?? new Map()
    const mine = new Map(granted.filter((one) => one.offer === offer).map((one) => [one.contact, one]))
    const wanted = new Map<string, string[]>()
    const paid = new Map<string, string>()
    const past = new Map<string, string[]>()
    const keeping = new Set(unsure)
    for (const claim of claims) {
      if (!claim.prices.some((price) => giving.has(price))) continue
      if (claim.keepsOnly === true) keeping.add(claim.person)
      else push(claim.live ? wanted : past, claim.person, claim.subscriber)
      if (claim.live && claim.keepsOnly !== true) paid.set(claim.subscriber, claim.person)
    }
    const contacts = new Map(
      [...holding.values()].flatMap((contact) => {
        const person = mine
          .get(contact)
          ?.subscribers.map((one) => paid.get(one))
          .find((one) => one !== undefined)
        return person === undefined ? [] : [[person, contact] as const]
      }),
    )
    for (const [person, subscribers] of wanted) {
      const contact = contacts.get(person) ?? holding.get(person)
      const decided = { offer, subscribers: subscribers.toSorted(), person }
      decisions.push(
        contact === undefined
          ? { kind: 'grant', ...decided }
          : { kind: 'keep', ...decided, contact, prices: pricesOf(claims, subscribers, giving) },
      )
    }
    for (const [person, contact] of holding) {
      const grant = mine.get(contact)
      if (wanted.has(person) || keeping.has(person) || grant === undefined) continue
      if (grant.subscribers.some((one) => paid.has(one))) continue
      decisions.push({
        kind: 'revoke',
        offer,
        subscribers: (past.get(person) ?? [...grant.subscribers]).toSorted(),
        contact,
        person,
        paying: stillPaying(access, claims, grant),
      })
    }
  }
  return decisions.toSorted(inOrder)
}

/** The paid prices of these subscribers that give an offer, in a stable order. */
function pricesOf(
  claims: readonly Claim[],
  subscribers: readonly string[],
  giving: ReadonlySet<string>,
): readonly string[] {
  const theirs = claims.filter(({ live, subscriber }) => live && subscribers.includes(subscriber))
  return [...new Set(theirs.flatMap(({ prices }) => prices))].filter((price) => giving.has(price)).toSorted()
}

/**
 * Undefined when no subscription of the grant is paid for: the access ended. Else the member pays
 * another price than before, or the catalog gives something else for the same price. A price that
 * gives no offer at all, and a grant without a recorded price, count as the latter.
 */
function stillPaying(
  { offers }: Access,
  claims: readonly Claim[],
  { subscribers, prices: given }: Granted,
): Paying | undefined {
  const paid = claims.filter((one) => one.live && subscribers.includes(one.subscriber))
  if (paid.length === 0) return undefined
  const prices = [...new Set(paid.flatMap((one) => one.prices))].toSorted()
  const giving = new Set(Object.values(offers).flatMap((one) => one.prices))
  const known = given !== undefined && given.length > 0
  return { prices, noLonger: prices.filter((price) => !giving.has(price) || !known || given.includes(price)) }
}

function push(into: Map<string, string[]>, key: string, value: string): void {
  const list = into.get(key)
  if (list === undefined) into.set(key, [value])
  else list.push(value)
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0
}

/**
 * Sorts by offer, then by first subscriber, never by person, so that the order reveals nothing
 * about addresses.
 */
function inOrder(a: AccessDecision, b: AccessDecision): number {
  const left = `${a.offer} ${a.subscribers[0] ?? ''} ${a.kind}`
  const right = `${b.offer} ${b.subscribers[0] ?? ''} ${b.kind}`
  return left < right ? -1 : left > right ? 1 : 0
}
