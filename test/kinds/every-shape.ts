import type { JsonObject } from '../../src/core/json.ts'
import { paymentMethods } from '../../src/kinds/payment-method-configuration.ts'
import { localTaxes } from '../../src/kinds/tax-registration.ts'

export type Sections = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>

/**
 * Catalogs that together set every field of every kind, in every form. A field that is added to a
 * schema and not to these catalogs makes `every-field.test.ts` fail.
 */
export function everyShape(): readonly Sections[] {
  return [usual, unusual]
}

const month = { interval: 'month' }

const usual: Sections = {
  features: { export: { name: 'Export', lookup_key: 'export', metadata: { a: 'b' } } },
  meters: {
    calls: {
      display_name: 'Calls',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
      customer_mapping: { event_payload_key: 'who', type: 'by_id' },
      event_time_window: 'hour',
      value_settings: { event_payload_key: 'much' },
    },
  },
  products: {
    course: {
      name: 'Course',
      active: true,
      description: 'd',
      features: ['export'],
      default_price: 'flat',
      images: ['https://x.test/1.png'],
      marketing_features: [{ name: 'one' }],
      metadata: { a: 'b' },
      package_dimensions: { height: 1, length: 2, weight: 3, width: 4 },
      shippable: false,
      statement_descriptor: 'SCHOOL',
      tax_code: 'txcd_10000000',
      unit_label: 'seat',
      url: 'https://x.test',
    },
    ticket: { name: 'Ticket', tax_details: { tax_code: 'txcd_10000000', performance_location: 'taxloc_1' } },
  },
  prices: {
    flat: {
      product: 'course',
      currency: 'usd',
      unit_amount: 4900,
      recurring: { interval: 'month', interval_count: 3, usage_type: 'licensed', trial_period_days: 7 },
      billing_scheme: 'per_unit',
      tax_behavior: 'exclusive',
      active: true,
      lookup_key: 'flat',
      nickname: 'n',
      metadata: { a: 'b' },
      currency_options: {
        eur: { unit_amount: 4500, tax_behavior: 'inclusive' },
        gbp: { unit_amount_decimal: '0.5' },
      },
    },
    exact: { product: 'course', currency: 'usd', unit_amount_decimal: '0.5', recurring: month },
    free: { product: 'course', currency: 'usd', unit_amount: 0, recurring: month },
    tiered: {
      product: 'course',
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      recurring: { interval: 'month', usage_type: 'metered', meter: 'calls' },
      tiers: [
        { up_to: 3, unit_amount: 0 },
        { up_to: 5, flat_amount: 0 },
        { up_to: 7, unit_amount: 5, flat_amount: 100 },
        { up_to: 9, unit_amount_decimal: '2.5', flat_amount_decimal: '7.25' },
        { up_to: 'inf', unit_amount: 3 },
      ],
      currency_options: {
        eur: {
          tiers: [
            { up_to: 3, unit_amount: 0 },
            { up_to: 5, flat_amount: 0 },
            { up_to: 7, unit_amount: 4, flat_amount: 90 },
            { up_to: 9, unit_amount_decimal: '1.5', flat_amount_decimal: '6.25' },
            { up_to: 'inf', unit_amount: 2 },
          ],
        },
      },
    },
    volume: {
      product: 'course',
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: 'volume',
      recurring: month,
      tiers: [{ up_to: 'inf', unit_amount: 3 }],
    },
    once: { product: 'course', currency: 'usd', unit_amount: 700 },
    packages: {
      product: 'course',
      currency: 'usd',
      unit_amount: 500,
      recurring: month,
      transform_quantity: { divide_by: 5, round: 'up' },
    },
    chosen: {
      product: 'course',
      currency: 'usd',
      custom_unit_amount: { enabled: true, minimum: 100, maximum: 9000, preset: 500 },
      currency_options: { eur: { custom_unit_amount: { enabled: true, minimum: 90, maximum: 8000, preset: 450 } } },
    },
  },
  tax_rates: {
    vat: {
      display_name: 'VAT',
      percentage: 19,
      inclusive: false,
      active: true,
      country: 'US',
      state: 'NY',
      jurisdiction: 'NY',
      description: 'd',
      tax_type: 'sales_tax',
      metadata: { a: 'b' },
    },
  },
  coupons: {
    amount: {
      name: 'Off',
      amount_off: 500,
      currency: 'usd',
      currency_options: { eur: { amount_off: 450 } },
      duration: 'repeating',
      duration_in_months: 3,
      applies_to: { products: ['course', 'ticket'] },
      max_redemptions: 5,
      redeem_by: '2030-01-01T00:00:00Z',
      metadata: { a: 'b' },
    },
    percent: { percent_off: 12.5, duration: 'forever' },
  },
  promotion_codes: {
    one: {
      code: 'ONE',
      promotion: { type: 'coupon', coupon: 'percent' },
      active: true,
      customer: 'cus_ONE',
      expires_at: '2030-01-01T00:00:00Z',
      max_redemptions: 3,
      restrictions: {
        first_time_transaction: true,
        minimum_amount: 1000,
        minimum_amount_currency: 'usd',
        currency_options: { eur: { minimum_amount: 900 } },
      },
      metadata: { a: 'b' },
    },
    'one-other': { code: 'ONE', promotion: { coupon: 'percent' }, customer: 'cus_TWO' },
    'one-before': { code: 'ONE', promotion: { coupon: 'percent' }, active: false },
  },
  shipping_rates: {
    post: {
      display_name: 'Post',
      fixed_amount: {
        amount: 0,
        currency: 'usd',
        currency_options: { eur: { amount: 450, tax_behavior: 'inclusive' } },
      },
      delivery_estimate: { minimum: { unit: 'day', value: 1 }, maximum: { unit: 'week', value: 2 } },
      tax_behavior: 'exclusive',
      tax_code: 'txcd_92010001',
      active: true,
      metadata: { a: 'b' },
    },
  },
  payment_links: {
    subscribe: {
      line_items: [{ price: 'packages', quantity: 2, adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 } }],
      active: true,
      after_completion: { type: 'redirect', redirect: { url: 'https://x.test/thanks' } },
      allow_promotion_codes: true,
      automatic_tax: { enabled: true },
      billing_address_collection: 'required',
      consent_collection: {
        payment_method_reuse_agreement: { position: 'hidden' },
        promotions: 'auto',
        terms_of_service: 'required',
      },
      currency: 'usd',
      custom_fields: [
        {
          key: 'size',
          label: { type: 'custom', custom: 'Size' },
          type: 'dropdown',
          optional: true,
          dropdown: { default_value: 's', options: [{ label: 'S', value: 's' }] },
        },
        {
          key: 'age',
          label: { type: 'custom', custom: 'Age' },
          type: 'numeric',
          numeric: { default_value: '5', minimum_length: 1, maximum_length: 3 },
        },
        {
          key: 'why',
          label: { type: 'custom', custom: 'Why' },
          type: 'text',
          text: { default_value: 'so', minimum_length: 1, maximum_length: 30 },
        },
      ],
      custom_text: {
        after_submit: { message: 'a' },
        shipping_address: { message: 'b' },
        submit: { message: 'c' },
        terms_of_service_acceptance: { message: 'd' },
      },
      inactive_message: 'Sold out',
      name_collection: { business: { enabled: true, optional: true }, individual: { enabled: true, optional: true } },
      optional_items: [
        { price: 'volume', quantity: 1, adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 } },
      ],
      payment_method_collection: 'if_required',
      payment_method_types: ['link', 'card'],
      phone_number_collection: { enabled: true },
      restrictions: { completed_sessions: { limit: 5 } },
      submit_type: 'subscribe',
      subscription_data: {
        description: 'd',
        metadata: { a: 'b' },
        trial_period_days: 7,
        trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
      },
      tax_id_collection: { enabled: true, required: 'if_supported' },
      metadata: { a: 'b' },
    },
    buy: {
      line_items: [{ price: 'once', quantity: 1 }],
      after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Thanks' } },
      customer_creation: 'always',
      invoice_creation: { enabled: true },
      payment_intent_data: {
        capture_method: 'manual',
        description: 'd',
        setup_future_usage: 'off_session',
        statement_descriptor: 'SCHOOL',
        statement_descriptor_suffix: 'BOOK',
        metadata: { a: 'b' },
      },
      shipping_address_collection: { allowed_countries: ['US', 'DE'] },
      shipping_options: [{ shipping_rate: 'post' }],
    },
    closed: { line_items: [{ price: 'once', quantity: 1 }], active: false },
  },
  payment_method_configurations: {
    europe: {
      name: 'Europe',
      active: true,
      parent: 'pmc_parent',
      ...Object.fromEntries(
        paymentMethods.map((name, index) => [
          name,
          { display_preference: { preference: ['on', 'off', 'none'][index % 3] ?? 'on' } },
        ]),
      ),
    },
  },
  payment_method_domains: { shop: { domain_name: 'shop.x.test', enabled: true } },
  tax_settings: {
    here: {
      defaults: { tax_behavior: 'inclusive', tax_code: 'txcd_10000000' },
      head_office: {
        address: { country: 'US', state: 'NY', city: 'New York', postal_code: '10001', line1: 'a', line2: 'b' },
      },
    },
  },
  event_destinations: {
    snapshots: {
      name: 'Snapshots',
      type: 'webhook_endpoint',
      event_payload: 'snapshot',
      enabled_events: ['invoice.voided', 'invoice.paid'],
      description: 'd',
      webhook_endpoint: { url: 'https://x.test/hook' },
      events_from: ['@self'],
      snapshot_api_version: '2026-10-28.endive',
      disabled: true,
      metadata: { a: 'b' },
      secret_to: { file: 'u' },
    },
    bridge: {
      name: 'Bridge',
      type: 'amazon_eventbridge',
      event_payload: 'thin',
      enabled_events: ['*'],
      amazon_eventbridge: { aws_account_id: '123456789012', aws_region: 'us-east-1' },
    },
    grid: {
      name: 'Grid',
      type: 'azure_event_grid',
      event_payload: 'thin',
      enabled_events: ['*'],
      azure_event_grid: {
        azure_region: 'westeurope',
        azure_resource_group_name: 'g',
        azure_subscription_id: '1',
      },
    },
  },
  tax_registrations: {
    'us-ny': {
      country: 'US',
      country_options: {
        us: {
          state: 'NY',
          type: 'state_sales_tax',
          state_sales_tax: { elections: [{ type: 'local_use_tax', jurisdiction: '1' }] },
        },
      },
      active_from: '2029-01-01T00:00:00Z',
      expires_at: '2030-01-01T00:00:00Z',
    },
    'ca-bc': {
      country: 'CA',
      country_options: { ca: { type: 'province_standard', province_standard: { province: 'BC' } } },
    },
    es: {
      country: 'ES',
      country_options: { es: { type: 'standard', standard: { place_of_supply_scheme: 'small_seller' } } },
    },
    ...Object.fromEntries(
      localTaxes.map((type) => [
        type.replaceAll('_', '-'),
        { country: 'US', country_options: { us: { state: 'IL', type, [type]: { jurisdiction: '14000' } } } },
      ]),
    ),
  },
  portal_configurations: {
    portal: {
      name: 'Portal',
      active: true,
      business_profile: {
        headline: 'h',
        privacy_policy_url: 'https://x.test/p',
        terms_of_service_url: 'https://x.test/t',
      },
      default_return_url: 'https://x.test',
      login_page: { enabled: true },
      features: {
        customer_update: { enabled: true, allowed_updates: ['email', 'address'] },
        invoice_history: { enabled: true },
        payment_method_update: { enabled: true, payment_method_configuration: 'europe' },
        subscription_cancel: {
          enabled: true,
          mode: 'at_period_end',
          proration_behavior: 'none',
          cancellation_reason: { enabled: true, options: ['unused', 'other'], feedback_options: ['fbo_1'] },
        },
        subscription_pause: {
          enabled: true,
          duration: { type: 'interval_options', interval_options: [{ interval: 'month', interval_count: 2 }] },
        },
        subscription_update: {
          enabled: true,
          billing_cycle_anchor: 'unchanged',
          default_allowed_updates: ['quantity', 'price'],
          products: [
            {
              product: 'course',
              prices: ['packages', 'volume'],
              adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 },
            },
          ],
          proration_behavior: 'none',
          schedule_at_period_end: { conditions: [{ type: 'shortening_interval' }] },
          trial_update_behavior: 'continue_trial',
        },
      },
      metadata: { a: 'b' },
    },
    // The first configuration of an account is its default and cannot be switched off.
    'portal-old': { active: false, features: { invoice_history: { enabled: true } } },
  },
  webhook_endpoints: {
    one: {
      url: 'https://x.test/hook',
      enabled_events: ['invoice.paid', 'customer.created'],
      description: 'd',
      disabled: true,
      connect: true,
      metadata: { a: 'b' },
      secret_to: { file: 's' },
    },
    two: {
      api_version: '2026-10-28.endive',
      url: 'https://x.test/hook',
      enabled_events: ['*'],
      secret_to: { file: 't' },
    },
  },
}

/** The same kinds switched off, with the fields that the other catalogs leave out. */
const unusual: Sections = {
  features: { old: { name: 'Old', lookup_key: 'old', active: false } },
  meters: { old: { display_name: 'Old', event_name: 'old', default_aggregation: { formula: 'count' }, active: false } },
  products: { old: { name: 'Old', active: false, tax_details: { tax_code: 'txcd_10000000' }, shippable: true } },
  prices: { old: { product: 'old', currency: 'jpy', unit_amount: 5, active: false } },
  tax_rates: { old: { display_name: 'Tax', percentage: 0, inclusive: true, active: false } },
  payment_method_configurations: { old: { name: 'Old', active: false } },
  payment_method_domains: { old: { domain_name: 'old.x.test', enabled: false } },
  shipping_rates: {
    old: {
      display_name: 'Old',
      fixed_amount: { amount: 5, currency: 'usd' },
      active: false,
      tax_behavior: 'inclusive',
    },
  },
}
