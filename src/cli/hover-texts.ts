import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/** Texts for fields that group others, by name; a field with its own description keeps it. */
const texts: Readonly<Record<string, string>> = {
  account: 'Id of the account: acct_…; a key of another account is refused',
  adjustable_quantity: 'Whether, and between which limits, customers can change the quantity',
  after_completion: 'What happens after the payment',
  alerts: 'Where alerts of the cancel service are sent',
  allowed_updates: 'What customers can change about themselves',
  amazon_eventbridge: 'Sends the events to Amazon EventBridge',
  api_base: 'Address of another Stripe-compatible server',
  applies_to: 'Limits the coupon to these products; absent: every product',
  automatic_tax: 'Whether Stripe Tax computes the tax',
  azure_event_grid: 'Sends the events to Azure Event Grid',
  business_profile: 'What the portal says about your business',
  cancellation_reason: 'Whether customers are asked why they cancel',
  command: 'A program and its arguments; its output is the secret',
  conditions: 'Changes that wait for the end of the period',
  consent_collection: 'Consent that customers give at the checkout',
  currency_options: 'Amounts in further currencies, by currency code',
  custom_text: 'Your own texts on the page',
  custom_unit_amount: 'The customer chooses the amount, between these limits',
  customer_mapping: 'Where an event of the meter names the customer',
  customer_update: 'Customers change their own data',
  default_aggregation: 'How the values of a period become one: sum, count or last',
  default_allowed_updates: 'What customers can change about a subscription',
  delivery_estimate: 'When a delivery arrives',
  discounts: 'Discounts that the subscriber has, by coupon',
  duration: 'How long a pause lasts',
  enabled_events: 'Events that are sent, such as customer.subscription.deleted; * for all',
  env: 'Name of an environment variable that holds the secret',
  env_file: 'File of environment variables into which the secret is written',
  feedback_options: 'Ids of your own answers',
  file: 'Path of a file that holds the secret, or of the store',
  fixed_amount: 'The amount and its currency',
  images: 'Addresses of up to eight pictures',
  interval_options: 'Lengths of a pause from which customers choose',
  invoice_creation: 'Whether a one-time payment gets an invoice',
  invoice_history: 'Customers see and pay their invoices',
  items: 'Prices that the subscriber pays, with quantities',
  livemode: 'true for real money, false for test mode; a key of the other mode is refused',
  login_page: 'Address at which customers log in without a link of yours',
  marketing_features: 'Up to fifteen lines for a pricing table',
  offers: 'Kajabi offers by a key of yours, with the prices that give them',
  options: 'The answers or values to choose from',
  package_dimensions: 'Size and weight of the package, in inches and ounces',
  payment_method_update: 'Customers change their card',
  prices: 'Keys of `prices` in this catalog',
  products: 'Keys of `products` in this catalog',
  promotion: 'The coupon that the code gives',
  restrictions: 'Conditions for a redemption',
  sandbox: 'true: simulated, no key needed; the block `sandbox:` describes the simulated world',
  schedule_at_period_end: 'Changes that take effect at the end of the period',
  school: 'What the cancel page calls you',
  serve: 'The cancel service, which crossbill serve starts',
  subscription_cancel: 'Customers cancel their subscription',
  subscription_pause: 'Customers pause their subscription',
  subscription_update: 'Customers change price, quantity or promotion code',
  tax_code: 'Tax code of Stripe, txcd_…, which decides about rates',
  tax_details: 'Tax code and where the product is taxed',
  tax_rates: 'Keys of `tax_rates`; they apply where automatic tax is off',
  tiers: 'Amounts by quantity, in rising order; the last one is up_to: inf',
  transform_quantity: 'Bills packs: divides the quantity, and rounds',
  value_settings: 'Where an event of the meter holds the value',
  webhook_endpoint: 'Sends the events to an address of yours',
}

/**
 * Every field of a schema gets a text for the editor: its own, or the address of Stripe's page.
 */
export function withHoverTexts(node: Json, page = ''): Json {
  if (Array.isArray(node)) return (node as readonly Json[]).map((one) => withHoverTexts(one, page))
  if (!isJsonObject(node)) return node
  const named = /https:\/\/docs\.stripe\.com\/\S+/.exec(String((node['description'] ?? '') as string))?.[0]
  const here = named ?? page
  return Object.fromEntries(
    Object.entries(node).map(([name, inner]) => [
      name,
      name === 'properties' && isJsonObject(inner)
        ? Object.fromEntries(
            Object.entries(inner).map(([field, schema]) => [
              field,
              described(field, withHoverTexts(schema ?? null, here), here),
            ]),
          )
        : withHoverTexts(inner ?? null, here),
    ]),
  )
}

function described(field: string, schema: Json, page: string): Json {
  if (!isJsonObject(schema) || typeof schema['description'] === 'string') return schema
  const text = texts[field] ?? (page === '' ? undefined : `\`${field}\` of Stripe: ${page}`)
  return text === undefined ? schema : ({ ...schema, description: text } satisfies JsonObject)
}
