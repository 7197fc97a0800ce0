import { present } from '../../core/assert.ts'
import { type Instant, formatInstant } from '../../core/instant.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Resource } from './lists.ts'
import type { Contact, Customer, Form, FormSubmission, Hook, Offer, Product, Purchase, Tag } from './model.ts'
import type { Site } from './site.ts'

/** Rows as JSON:API resources, with exactly the attributes of the official description. */
const host = 'https://app.kajabi.com/api/v1'

const time = (at: Instant | null): string | null => (at === null ? null : formatInstant(at))

function siteOf(site: Site): JsonObject {
  return { data: { id: site.id, type: 'sites' } }
}

export function identifiers(type: string, ids: Iterable<string>): Json {
  return [...ids].map((id) => ({ id, type }))
}

export function contactResource(site: Site, row: Contact): Resource {
  const customer = row.customer === null ? undefined : site.customers.get(row.customer)
  return {
    id: row.id,
    type: 'contacts',
    attributes: {
      name: row.name,
      email: row.email,
      address_line_1: null,
      address_line_2: null,
      address_city: null,
      address_country: null,
      address_state: null,
      address_zip: null,
      phone_number: row.phone_number,
      business_number: null,
      subscribed: row.subscribed,
      external_user_id: customer?.external_user_id ?? null,
      custom_1: null,
      custom_2: null,
      custom_3: null,
      created_at: time(row.created),
      updated_at: time(row.updated),
    },
    relationships: {
      site: siteOf(site),
      // Related offers are linked, not listed (changelog of 2025-04-11).
      offers: { links: { self: `${host}/contacts/${row.id}/relationships/offers` } },
      tags: { data: identifiers('contact_tags', row.tags) },
      customer: { data: row.customer === null ? null : { id: row.customer, type: 'customers' } },
    },
    links: { customer: row.customer === null ? '' : `${host}/customers/${row.customer}` },
  }
}

export function customerResource(site: Site, row: Customer): Resource {
  const contact = present(site.contacts.get(row.contact), `contact of customer ${row.id}`)
  const grants = site.grantsOf(row.contact)
  const products = new Set(
    grants.filter((grant) => grant.products_active).flatMap((grant) => site.offers.get(grant.offer)?.products ?? []),
  )
  return {
    id: row.id,
    type: 'customers',
    attributes: {
      name: contact.name,
      email: contact.email,
      avatar: null,
      external_user_id: row.external_user_id,
      public_bio: null,
      public_location: null,
      public_website: null,
      socials: null,
      net_revenue: (row.net_revenue_cents / 100).toFixed(1),
      sign_in_count: 0,
      last_request_at: null,
      bounced_at: null,
      created_at: time(row.created),
      updated_at: time(row.updated),
    },
    relationships: {
      site: siteOf(site),
      contact: { data: { id: row.contact, type: 'contacts' } },
      offers: {
        data: identifiers(
          'offers',
          grants.map((grant) => grant.offer),
        ),
        links: { self: `${host}/customers/${row.id}/relationships/offers` },
      },
      products: { data: identifiers('products', products) },
    },
    links: { contact: `${host}/contacts/${row.contact}` },
  }
}

export function offerResource(site: Site, row: Offer): Resource {
  const free = row.kind === 'free'
  const price = `${row.price_in_cents / 100} ${row.currency}`
  return {
    id: row.id,
    type: 'offers',
    attributes: {
      title: row.title,
      description: null,
      internal_title: row.internal_title,
      currency: row.currency,
      price_in_cents: row.price_in_cents,
      payment_type: paymentType(row),
      token: row.token,
      payment_method: free ? '' : 'stripe',
      price_description: free ? 'Free' : price,
      checkout_url: `https://school.mykajabi.com/offers/${row.token}`,
      recurring_offer: row.kind === 'subscription' || row.kind === 'payment_plan',
      subscription: row.kind === 'subscription',
      one_time: row.kind === 'one_time',
      single: row.kind === 'one_time' || free,
      free,
      image_url: null,
    },
    relationships: { site: siteOf(site), products: { data: identifiers('products', row.products) } },
  }
}

export function paymentType(offer: Offer): Purchase['payment_type'] {
  switch (offer.kind) {
    case 'free':
      return 'free'
    case 'one_time':
      return 'single'
    case 'subscription':
      return 'subscription'
    case 'payment_plan':
      return 'multipay'
  }
}

export function productResource(site: Site, row: Product): Resource {
  return {
    id: row.id,
    type: 'products',
    attributes: {
      created_at: time(row.created),
      title: row.title,
      description: null,
      status: 'ready',
      members_aggregate_count: 0,
      product_type_name: 'Course',
      product_type_id: 1,
      publish_status: 'published',
      thumbnail_url: null,
      url: null,
    },
    relationships: { site: siteOf(site) },
  }
}

export function tagResource(site: Site, row: Tag): Resource {
  return { id: row.id, type: 'contact_tags', attributes: { name: row.name }, relationships: { site: siteOf(site) } }
}

/** `detail` adds the attributes that only the details page of a purchase shows. */
export function purchaseResource(site: Site, row: Purchase, detail = false): Resource {
  const products = site.offers.get(row.offer)?.products ?? []
  return {
    id: row.id,
    type: 'purchases',
    attributes: {
      amount_in_cents: row.amount_in_cents,
      payment_type: row.payment_type,
      multipay_payments_made: row.payments_made,
      ...(detail ? { status: row.status, trial: null, trial_end_at: null, payment_plan_total_payments: null } : {}),
      opt_in: false,
      raw_extra_contact_information: {},
      currency: row.currency,
      effective_start_at: time(row.created),
      cardholder_name: null,
      billing_address_zip: null,
      deactivated_at: time(row.deactivated),
      deactivation_reason: row.deactivation_reason,
      coupon_code: row.coupon_code,
      source: null,
      referrer: null,
      quantity: 1,
      created_at: time(row.created),
      updated_at: time(row.updated),
    },
    relationships: {
      offer: { data: { id: row.offer, type: 'offers' } },
      customer: { data: { id: row.customer, type: 'customers' } },
      transactions: { data: [] },
      products: { data: identifiers('products', products) },
    },
  }
}

export function formResource(site: Site, row: Form): Resource {
  return {
    id: row.id,
    type: 'forms',
    attributes: {
      url: `https://school.mykajabi.com/forms/${row.id}`,
      title: row.title,
      default: false,
      webhook_url: row.webhook_url,
      created_at: time(row.created),
      updated_at: time(row.created),
    },
    relationships: {
      site: siteOf(site),
      fields: { data: [] },
      contact_tags: { data: identifiers('contact_tags', row.adds_tags) },
    },
  }
}

export function submissionResource(site: Site, row: FormSubmission): Resource {
  return {
    id: row.id,
    type: 'form_submissions',
    attributes: {
      name: row.name,
      email: row.email,
      address_line_1: null,
      address_line_2: null,
      address_city: null,
      address_country: null,
      address_state: null,
      address_zip: null,
      phone_number: null,
      business_number: null,
      custom_1: null,
      custom_2: null,
      custom_3: null,
      mobile_phone_number: null,
    },
    relationships: { site: siteOf(site), form: { data: { id: row.form, type: 'forms' } } },
  }
}

export function hookResource(site: Site, row: Hook): Resource {
  return {
    id: row.id,
    type: 'hooks',
    attributes: {
      event: row.event,
      target_url: row.target_url,
      // The schema says integer or null, although the documented example sends a string.
      resource_id: row.resource_id === null ? null : Number(row.resource_id),
      created_at: time(row.created),
      updated_at: time(row.created),
    },
    relationships: { site: siteOf(site) },
  }
}
