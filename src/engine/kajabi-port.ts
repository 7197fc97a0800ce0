import type { Outcome } from '../core/outcome.ts'

/**
 * What Crossbill asks of a Kajabi site. Contacts are named by id everywhere; e-mail addresses pass
 * through as arguments and are never kept.
 */
export interface KajabiSite {
  /** `GET /v1/version`: reachable at all, no credentials needed. */
  reachable(): Promise<Outcome<true>>
  /**
   * The contact whose address is exactly this one (lower-cased); Kajabi's search itself is fuzzy.
   */
  findContact(email: string): Promise<Outcome<string | undefined>>
  /** Creates the contact; where Kajabi says the address is taken, looks again. */
  ensureContact(person: { email: string; name: string }): Promise<Outcome<string>>
  /**
   * Everybody who holds the offer: contact id by lower-cased e-mail address, read in pages of a
   * hundred. The addresses are for matching in memory and are never kept.
   */
  holders(offer: string): Promise<Outcome<ReadonlyMap<string, string>>>
  /**
   * Contacts that hold the offer and carry a Stripe customer's id, which Crossbill notes when it
   * grants: customer by contact.
   */
  noted(offer: string): Promise<Outcome<ReadonlyMap<string, string>>>
  /** Offer ids the contact holds, by grant or purchase. */
  offersOf(contact: string): Promise<Outcome<readonly string[]>>
  /** Products that the offer opens. */
  productsOf(offer: string): Promise<Outcome<readonly string[]>>
  /**
   * Contacts for whom the product is open: an offer may be listed on a contact while its products
   * are switched off.
   */
  openFor(product: string): Promise<Outcome<readonly string[]>>
  /**
   * Grants one offer; `welcome` lets Kajabi send its welcome e-mail. Automations of the site may
   * fire.
   */
  grant(contact: string, offer: string, options: { welcome: boolean }): Promise<Outcome<true>>
  /** Takes one active offer away. Others are untouched. */
  revoke(contact: string, offer: string): Promise<Outcome<true>>
  /**
   * What is noted on the contact as its id elsewhere: the Stripe customer, where Crossbill gave
   * access.
   */
  externalId(contact: string): Promise<Outcome<string | undefined>>
  /** Notes the Stripe customer on the contact; only works once the contact holds an offer. */
  setExternalId(contact: string, customer: string): Promise<Outcome<true>>
  tagsOf(contact: string): Promise<Outcome<readonly string[]>>
  /** Contacts that carry the tag. */
  tagged(tag: string): Promise<Outcome<readonly string[]>>
  removeTag(contact: string, tag: string): Promise<Outcome<true>>
  /** What was typed into a form; the address is anybody's claim. */
  submission(id: string): Promise<Outcome<{ readonly email: string }>>
  offers(): Promise<Outcome<readonly KajabiOffer[]>>
  /** Tag id by name; tags can only be made in Kajabi's own pages. */
  tags(): Promise<Outcome<ReadonlyMap<string, string>>>
  hooks(): Promise<Outcome<readonly KajabiHook[]>>
  createHook(hook: Omit<KajabiHook, 'id'>): Promise<Outcome<KajabiHook>>
  deleteHook(id: string): Promise<Outcome<true>>
}

export interface KajabiOffer {
  readonly id: string
  readonly title: string
  readonly free: boolean
}

/** The API's hook events (there is no cancel event): https://developers.kajabi.com/api-reference */
export type KajabiEvent =
  | 'tag_added'
  | 'tag_removed'
  | 'form_submission'
  | 'purchase'
  | 'payment_succeeded'
  | 'order_created'

export interface KajabiHook {
  readonly id: string
  readonly url: string
  readonly event: KajabiEvent
  /** Only for this tag or form; absent for all. */
  readonly resource?: string
}

/**
 * The second way to give access, for sites without API: the offer's activation and deactivation
 * URLs. It can do nothing else, so contacts cannot be looked up and access cannot be read back.
 */
export interface OfferUrls {
  activate(offer: string, person: { email: string; name: string; externalId: string }): Promise<Outcome<true>>
  deactivate(offer: string, person: { email: string; name: string; externalId: string }): Promise<Outcome<true>>
}
