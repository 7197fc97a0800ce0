import type { Granted, Holders } from '../../access/plan.ts'
import type { Access } from '../../catalog/schemas/access.ts'
import type { PersonalClaim } from './claims.ts'

/**
 * Whether an offer is given by its URLs. Kajabi cannot report its holders then, and only the store
 * knows them.
 */
export function givenByUrls(access: Access, offer: string): boolean {
  return access.offers[offer]?.urls !== undefined
}

/**
 * The holders of offers given by URLs, from the store. Without a contact, the customer identifies
 * the person.
 */
export function rememberedHolders(
  access: Access,
  claims: readonly PersonalClaim[],
  granted: readonly Granted[],
): ReadonlyMap<string, Holders> {
  const persons = new Map(claims.map(({ customer, person }) => [customer, person]))
  const offers = Object.keys(access.offers).filter((offer) => givenByUrls(access, offer))
  return new Map(
    offers.map((offer) => {
      const mine = granted.filter((grant) => grant.offer === offer)
      const held = mine.flatMap(({ contact }) => {
        const person = persons.get(contact)
        return person === undefined ? [] : [[person, contact] as const]
      })
      return [offer, new Map(held)]
    }),
  )
}
