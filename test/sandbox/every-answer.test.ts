import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { isJsonObject, type JsonObject } from '../../src/core/json.ts'
import { type Sandbox, createSandbox } from '../../src/sandbox/sandbox.ts'

// The watch over every sandbox (test/conformance) compares each of these answers with the SDK's
// description, down to the last field. This test only has to create everything that an old account
// can hold and read it in every way that the product and the SDK can.

/** A row of a list, or an object, as far as this test reads it. */
type Shown = JsonObject & {
  readonly id: string
  readonly object: string
  readonly type: string
  readonly customer: string
}

const lists: Readonly<Record<string, readonly string[]>> = {
  'billing/meters': [],
  'billing_portal/configurations': [],
  charges: ['customer', 'payment_intent'],
  'checkout/sessions': ['line_items'],
  coupons: ['applies_to', 'currency_options'],
  customers: ['sources', 'subscriptions', 'tax', 'tax_ids', 'invoice_credit_balance', 'discount.source.coupon'],
  events: [],
  invoice_payments: ['payment.payment_intent'],
  invoiceitems: ['discounts'],
  invoices: ['payments', 'discounts', 'customer', 'default_payment_method'],
  payment_intents: ['latest_charge', 'payment_method'],
  payment_links: ['line_items'],
  payment_methods: [],
  prices: ['tiers', 'currency_options', 'product'],
  products: ['default_price'],
  promotion_codes: ['promotion.coupon'],
  subscription_schedules: ['subscription'],
  'subscriptions?status=all': ['discounts', 'default_payment_method', 'default_source', 'latest_invoice', 'schedule'],
  'tax/registrations': [],
  tax_rates: [],
  webhook_endpoints: [],
}

/** Every form and kind of payment method in the populations. */
const methods = [
  'bank_account us_bank_account',
  'card card',
  'payment_method acss_debit',
  'payment_method bacs_debit',
  'payment_method card',
  'payment_method card apple_pay',
  'payment_method card google_pay',
  'payment_method link',
  'payment_method us_bank_account',
  'source card',
  'source sepa_debit',
]

test(
  'every object an old account can hold, in every list that shows it, matches the SDK’s description',
  { timeout: 60_000 },
  async () => {
    const sandbox = createSandbox({
      population: { name: 'school', subscribers: 300, surprises: true },
      copied: ['us', 'intl'],
    })
    await sandbox.world.advance(instant(sandbox.clock() + 35 * 86_400))
    const seen = new Map<string, Shown>()
    const objects = new Set<string>()
    for (const account of ['us', 'intl', 'target'])
      for (const [list, expand] of Object.entries(lists))
        for (const row of await readAll(sandbox, account, list, expand)) {
          objects.add(row.object)
          if (row.object === 'payment_method') seen.set(`${account} ${kindOf(row)}`, row)
        }
    expect([...new Set([...seen.keys()].map((kind) => kind.replace(/^\w+ /, '')))].toSorted()).toEqual(methods)
    expect(objects.size).toBe(Object.keys(lists).length)
    // One customer of each kind, for objects that only a customer's lists show.
    for (const [kind, { id, customer }] of seen) {
      const [account = ''] = kind.split(' ')
      const whole = await read(sandbox, account, `customers/${customer}?expand[]=default_source`)
      expect(whole.object).toBe('customer')
      for (const list of ['payment_methods', 'sources', 'balance_transactions', 'tax_ids'])
        await readAll(sandbox, account, `customers/${customer}/${list}`, [])
      expect((await read(sandbox, account, `payment_methods/${id}`)).id).toBe(id)
    }
  },
)

function kindOf(method: Shown): string {
  const forms: Readonly<Record<string, string>> = {
    ba: 'bank_account',
    card: 'card',
    pm: 'payment_method',
    src: 'source',
  }
  const { card, id, type } = method
  const wallet =
    isJsonObject(card) && isJsonObject(card['wallet']) ? ` ${String(card['wallet']['type'] as string)}` : ''
  return `${forms[id.split('_')[0] ?? '']} ${type}${wallet}`
}

async function readAll(sandbox: Sandbox, account: string, list: string, expand: readonly string[]): Promise<Shown[]> {
  const rows: Shown[] = []
  const asked = `${list}${list.includes('?') ? '&' : '?'}limit=100${expand.map((one) => `&expand[]=data.${one}`).join('')}`
  // Objects that exist by the thousand are all alike.
  const enough = /^(charges|invoice_payments|payment_intents)/.test(list) ? 200 : Infinity
  for (let more = true; more && rows.length < enough;) {
    const cursor = rows.length === 0 ? '' : `&starting_after=${rows.at(-1)?.id}`
    const page = await read(sandbox, account, `${asked}${cursor}`)
    rows.push(...(page['data'] as Shown[]))
    more = page['has_more'] === true
  }
  return rows
}

async function read(sandbox: Sandbox, account: string, path: string): Promise<Shown> {
  const response = await sandbox.fetch(`http://x/v1/${path}`, {
    headers: { authorization: `Bearer ${sandbox.ready.accounts[account]?.key}` },
  })
  const body = (await response.json()) as Shown
  expect({ path, status: response.status, error: body['error'] }).toEqual({ path, status: 200, error: undefined })
  return body
}
