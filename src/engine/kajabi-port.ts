import type { Outcome } from '../core/outcome.ts'

/**
 * What Crossbill needs of a Kajabi site. Contacts are identified by id everywhere; e-mail addresses
 * are passed as arguments and never stored.
 */
export interface KajabiSite {
  /** `GET /v1/version`: whether the site is reachable; needs no credentials. */
  reachable(): Promise<Outcome<true>>
  /** The contact with exactly this address (lower-cased); Kajabi's own search is fuzzy. */
  findContact(email: string): Promise<Outcome<string | undefined>>
  /**
   * Finds or creates the contact; when Kajabi reports that the address is taken, looks again.
   * `unlisted`: a complete list without the address was just read, so it is not looked for first.
   */
  ensureContact(person: { email: string; name: string; unlisted?: boolean }): Promise<Outcome<string>>
  /**
   * Every contact of the site, or undefined when that takes more than `pages` pages of a hundred.
   * In memory only.
   */
  directory(pages: number): Promise<Outcome<Directory | undefined>>
  /**
   * Every holder of the offer: contact id by lower-cased e-mail address, read in pages of a
   * hundred. The addresses are for matching in memory and are never stored.
   */
  holders(offer: string): Promise<Outcome<ReadonlyMap<string, string>>>
  /**
   * Contacts that hold the offer and carry the Stripe customer's id that Crossbill writes with a
   * grant: customer by contact.
   */
  noted(offer: string): Promise<Outcome<ReadonlyMap<string, string>>>
  /** Ids of the offers that the contact holds, by grant or purchase. */
  offersOf(contact: string): Promise<Outcome<readonly string[]>>
  /** Products that the offer opens. */
  productsOf(offer: string): Promise<Outcome<readonly string[]>>
  /**
   * Contacts for whom the product is open: a contact may list an offer while its products are
   * switched off.
   */
  openFor(product: string): Promise<Outcome<readonly string[]>>
  /**
   * Grants one offer; `welcome` lets Kajabi send its welcome e-mail. Automations of the site may
   * run.
   */
  grant(contact: string, offer: string, options: { welcome: boolean }): Promise<Outcome<true>>
  /** Revokes one active offer. Others are untouched. */
  revoke(contact: string, offer: string): Promise<Outcome<true>>
  /** The contact's external id: the Stripe customer, where Crossbill gave access. */
  externalId(contact: string): Promise<Outcome<string | undefined>>
  /** Writes the Stripe customer on the contact; works only when the contact holds an offer. */
  setExternalId(contact: string, customer: string): Promise<Outcome<true>>
  tagsOf(contact: string): Promise<Outcome<readonly string[]>>
  /** Contacts that carry the tag. */
  tagged(tag: string): Promise<Outcome<readonly string[]>>
  removeTag(contact: string, tag: string): Promise<Outcome<true>>
  /** What was typed into a form; its address is unverified. */
  submission(id: string): Promise<Outcome<{ readonly email: string }>>
  offers(): Promise<Outcome<readonly KajabiOffer[]>>
  /** Tag id by name; tags can be created only in Kajabi's own pages. */
  tags(): Promise<Outcome<ReadonlyMap<string, string>>>
  hooks(): Promise<Outcome<readonly KajabiHook[]>>
  createHook(hook: Omit<KajabiHook, 'id'>): Promise<Outcome<KajabiHook>>
  deleteHook(id: string): Promise<Outcome<true>>
}

/** The contacts of a site. An address that two contacts have is missing. */
export interface Directory {
  /** Contact by lower-cased e-mail address. */
  readonly contacts: ReadonlyMap<string, string>
  /** The external id of each contact that has one. */
  readonly marks: ReadonlyMap<string, string>
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
 * The second way to give access, for sites without an API: the offer's activation and deactivation
 * URLs. It can neither look up contacts nor read access back.
 */
export interface OfferUrls {
  activate(offer: string, person: { email: string; name: string; externalId: string }): Promise<Outcome<true>>
  deactivate(offer: string, person: { email: string; name: string; externalId: string }): Promise<Outcome<true>>
}
