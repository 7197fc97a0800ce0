import type { Instant } from '../../core/instant.ts'

/**
 * The rows of a simulated Kajabi site. Field names are those of the official API description
 * (1.1.0); what the API never shows (mails sent, dead hooks, the provisioning state of a grant) is
 * kept beside them, so that a test can look at it.
 */
export interface Contact {
  id: string
  name: string
  /** Stored stripped and lower-cased, unique per site. */
  email: string
  phone_number: string | null
  subscribed: boolean
  /** Set by the first grant or purchase. */
  customer: string | null
  tags: string[]
  /** How many list requests must pass before the search index has heard of a new contact. */
  unindexed_for: number
  created: Instant
  updated: Instant
}

export interface Customer {
  id: string
  contact: string
  /** Unique within the site. */
  external_user_id: string | null
  net_revenue_cents: number
  created: Instant
  updated: Instant
}

export interface Offer {
  id: string
  title: string
  internal_title: string | null
  currency: string
  price_in_cents: number
  kind: 'free' | 'one_time' | 'subscription' | 'payment_plan'
  /** Number of payments of a payment plan. */
  payments: number | null
  /** Access ends this many days after it began; null is for ever. */
  access_days: number | null
  products: string[]
  /** The bearer secret in the offer's activation and deactivation addresses. */
  url_key: string
  token: string
  created: Instant
}

export interface Product {
  id: string
  title: string
  created: Instant
}

export interface Tag {
  id: string
  name: string
  created: Instant
}

/** Access of one contact to one offer, however it came about. */
export interface Grant {
  /** `<contact>/<offer>` */
  id: string
  contact: string
  offer: string
  by: 'api' | 'hand' | 'url' | 'purchase' | 'automation'
  /** The id an offer address was called with; the deactivation must name the same one. */
  activated_as: string | null
  /**
   * False: the offer is listed as granted, yet its products are switched off (seen live; a plain
   * second grant does not mend it).
   */
  products_active: boolean
  expires: Instant | null
  created: Instant
}

export interface Purchase {
  id: string
  contact: string
  customer: string
  offer: string
  amount_in_cents: number
  currency: string
  payment_type: 'free' | 'single' | 'subscription' | 'multipay'
  payments_made: number | null
  status: string
  deactivated: Instant | null
  deactivation_reason: string | null
  coupon_code: string | null
  created: Instant
  updated: Instant
}

export interface Form {
  id: string
  title: string
  webhook_url: string | null
  /** Tags and grants that Kajabi's automations apply when the form is submitted. */
  adds_tags: string[]
  revokes_offers: string[]
  created: Instant
}

export interface FormSubmission {
  id: string
  form: string
  name: string
  email: string
  created: Instant
}

export const hookEvents = [
  'purchase',
  'payment_succeeded',
  'order_created',
  'form_submission',
  'tag_added',
  'tag_removed',
] as const
export type HookEvent = (typeof hookEvents)[number]

export interface Hook {
  id: string
  event: HookEvent
  target_url: string
  resource_id: string | null
  /** Kajabi stopped delivering (a probe was answered with 405). Nothing tells the owner. */
  dead: boolean
  created: Instant
}

/** One delivery of a hook that has not been answered with 2xx yet. */
export interface Delivery {
  id: string
  hook: string
  target_url: string
  body: string
  attempts: number
  next: Instant
  created: Instant
}

/**
 * A mail Kajabi would have sent. Only what a test has to see: which kind, to whom, about which
 * offer.
 */
export interface Mail {
  id: string
  kind: 'welcome' | 'offer_grant'
  contact: string
  offer: string
  created: Instant
}

export interface Token {
  /** The access token itself. */
  id: string
  refresh: string
  created: Instant
  expires: Instant
  revoked: boolean
}

/**
 * What is unsure or differs between accounts, switchable so that a caller can be tried on both
 * sides of it.
 */
export interface SiteBehaviour {
  /** Seconds an access token lives; 604800 was seen live. */
  token_seconds: number
  /** List requests a new contact stays invisible to searches. */
  index_lag: number
  /** Whether a grant made over the API shows up among the purchases. */
  grants_are_purchases: boolean
  /** Whether a tag that an automation adds fires `tag_added`. */
  automation_tags_fire: boolean
  /** Whether a hook that Kajabi gave up is still listed. */
  dead_hooks_listed: boolean
  /** Whether the key may manage hooks (one live account's could not). */
  hooks_permitted: boolean
}

export const usualBehaviour: SiteBehaviour = {
  token_seconds: 604_800,
  index_lag: 1,
  grants_are_purchases: false,
  automation_tags_fire: true,
  dead_hooks_listed: false,
  hooks_permitted: true,
}
