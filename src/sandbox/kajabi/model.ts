import type { Instant } from '../../core/instant.ts'

/**
 * The rows of a simulated Kajabi site. Field names follow the official API description (1.1.0).
 * What the API never shows (mails sent, abandoned hooks, the provisioning state of a grant) is
 * stored in the same rows for tests.
 */
export interface Contact {
  id: string
  name: string
  /** Trimmed and in lower case; unique per site. */
  email: string
  phone_number: string | null
  subscribed: boolean
  /** The first grant or purchase sets it. */
  customer: string | null
  tags: string[]
  /** How many list requests must pass before the search index contains a new contact. */
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
  /** The number of payments of a payment plan. */
  payments: number | null
  /** Access ends this many days after it began; null means never. */
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

/** The access of one contact to one offer, however it began. */
export interface Grant {
  /** `<contact>/<offer>` */
  id: string
  contact: string
  offer: string
  by: 'api' | 'hand' | 'url' | 'purchase' | 'automation'
  /** The id in the call of the activation address; the deactivation must name the same id. */
  activated_as: string | null
  /**
   * False: the offer is listed as granted, but its products are switched off (seen live; a second
   * plain grant does not switch them on).
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
  /**
   * Tags that Kajabi's automations add, and offers that they revoke, when a visitor submits the
   * form.
   */
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
  /** Kajabi stopped delivering after a probe was answered with 405. The owner gets no notice. */
  dead: boolean
  created: Instant
}

/** One delivery of a hook that no 2xx has answered yet. */
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
 * A mail that Kajabi would have sent. Only what a test needs: its kind, its receiver and its offer.
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
 * Behaviour that is unsure or differs between accounts; switchable, so that a client can be tested
 * with every reading.
 */
export interface SiteBehaviour {
  /** Seconds until an access token expires; 604800 was seen live. */
  token_seconds: number
  /** How many list requests it takes until a search finds a new contact. */
  index_lag: number
  /** Whether a grant made by the API is listed among the purchases. */
  grants_are_purchases: boolean
  /** Whether a tag that an automation adds sends `tag_added`. */
  automation_tags_fire: boolean
  /** Whether a hook that Kajabi stopped delivering is still listed. */
  dead_hooks_listed: boolean
  /** Whether the API key may manage hooks (the key of one live account could not). */
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
