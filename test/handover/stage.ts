import type Stripe from 'stripe'
import type {
  Catalog,
  DesiredResource,
  DesiredSubscriber,
  LeftOutEntry,
  Mappings,
  Policies,
} from '../../src/catalog/types.ts'
import { address, subscriberKey } from '../../src/core/address.ts'
import { present } from '../../src/core/assert.ts'
import { instant, parseInstant, type Instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { readAccount } from '../../src/engine/read/account.ts'
import { listAll } from '../../src/engine/read/lists.ts'
import { classifySubscribers } from '../../src/handover/classify.ts'
import { copyMapOf } from '../../src/handover/candidate.ts'
import { idOf } from '../../src/core/reference.ts'
import type { Classification } from '../../src/handover/types.ts'
import type { Live } from '../../src/live/accounts.ts'
import { markAddress } from '../../src/live/marks.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { clientOf } from '../sandbox/client.ts'

/**
 * A small world on the sandbox: one old account, the target, and a catalog for both. Stories create
 * subscriptions in the old account as members do, copy the customers, and let the real product
 * classify and move them.
 */
export interface Stage {
  readonly sandbox: Sandbox
  readonly us: Stripe
  readonly target: Stripe
  readonly accounts: { readonly us: StripeAccount; readonly target: StripeAccount }
  readonly ids: Map<string, string>
  /** Rows of the mapping file. */
  readonly copied: string[][]
  readonly policies: Record<string, unknown>
  readonly subscribers: Map<string, Partial<DesiredSubscriber>>
  /** What no request can cause in a sandbox: changes of the read data before the decision. */
  readonly tampers: ((live: Live) => Live)[]
  /** Terms in the catalog that differ from the accounts, by address. */
  readonly rewritten: Map<string, JsonObject>
  /** Entries of the YAML with an error. */
  readonly leftOut: LeftOutEntry[]
  /** While set, no request reaches the target. */
  readonly outage: { target: boolean }
  now(): Instant
  advance(to: string): Promise<void>
  act(act: string, input: JsonObject): Promise<void>
  /** Stripe's copy of customers and cards, at any time, and again for later ones. */
  copy(): Promise<void>
  classify(stage: DesiredSubscriber['stage'], more?: Partial<DesiredSubscriber>): Promise<readonly Classification[]>
  /** Every charge so far, in order of time. */
  charges(): Promise<readonly Charge[]>
}

interface Charge {
  readonly account: string
  readonly customer: string
  readonly subscription: string | null
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

const at = (text: string): Instant => present(parseInstant(text), text)

const defaults: Policies = {
  tax: 'same',
  tax_accepted: [],
  customer_balance: 'stop',
  pending_invoice_items: 'stop',
  past_due: 'stop',
  schedules: 'stop',
  collection_paused: 'stop',
  metered: 'stop',
  settle_after_days: 10,
  renewal_window_hours: 48,
  cancel: 'now',
  uncharged_period: 'invoice',
  setup_failed: 'keep',
  applications: {},
  leave: {},
  plan_hours: 24,
}

/** Prices by key, the same terms in both accounts. */
const prices: Readonly<Record<string, JsonObject>> = {
  monthly: { currency: 'usd', unit_amount: 4900, recurring: { interval: 'month' }, tax_behavior: 'exclusive' },
  quarterly: {
    currency: 'usd',
    unit_amount: 4900,
    recurring: { interval: 'month', interval_count: 3 },
    tax_behavior: 'exclusive',
  },
  yearly: { currency: 'usd', unit_amount: 49000, recurring: { interval: 'year' }, tax_behavior: 'exclusive' },
  weekly: { currency: 'usd', unit_amount: 1500, recurring: { interval: 'week' }, tax_behavior: 'exclusive' },
  addon: { currency: 'usd', unit_amount: 900, recurring: { interval: 'month' }, tax_behavior: 'exclusive' },
  euro: { currency: 'eur', unit_amount: 4500, recurring: { interval: 'month' }, tax_behavior: 'exclusive' },
}
const coupons: Readonly<Record<string, JsonObject>> = {
  'welcome-20': { percent_off: 20, duration: 'repeating', duration_in_months: 3 },
  'welcome-20-1-month-left': { percent_off: 20, duration: 'repeating', duration_in_months: 1 },
  'welcome-20-2-months-left': { percent_off: 20, duration: 'repeating', duration_in_months: 2 },
  friends: { percent_off: 10, duration: 'forever' },
  'first-one': { amount_off: 1000, currency: 'usd', duration: 'once' },
}
const taxRates: Readonly<Record<string, JsonObject>> = {
  vat: { display_name: 'VAT', percentage: 19, inclusive: false, country: 'DE' },
}

export async function stageAt(clock: string): Promise<Stage> {
  return stageOn(createSandbox({ clock: at(clock), accounts: ['us', 'target'] }), true)
}

/** An independent copy of the world. */
export async function copyOf(stage: Stage): Promise<Stage> {
  const copy = await stageOn(cloneSandbox(stage.sandbox), false)
  for (const [key, id] of stage.ids) copy.ids.set(key, id)
  for (const [key, entry] of stage.subscribers) copy.subscribers.set(key, entry)
  copy.copied.push(...stage.copied)
  return copy
}

async function stageOn(sandbox: Sandbox, furnished: boolean): Promise<Stage> {
  const us = clientOf(sandbox, 'us')
  const target = clientOf(sandbox, 'target')
  const outage = { target: false }
  const connect = (name: string): Promise<StripeAccount> =>
    connectAccount({
      name,
      key: `sk_test_sandbox_${name}`,
      timing: { milliseconds: () => 0, sleep: () => Promise.resolve() },
      clock: () => sandbox.clock() * 1_000,
      fetch: (input, init) =>
        name === 'target' && outage.target ? Promise.reject(new TypeError('fetch failed')) : sandbox.fetch(input, init),
    })
  const accounts = { us: await connect('us'), target: await connect('target') }
  const ids = furnished ? await furnish(us, target) : new Map<string, string>()
  const policies: Record<string, unknown> = {}
  const copied: string[][] = []
  const subscribers = new Map<string, Partial<DesiredSubscriber>>()
  const tampers: ((live: Live) => Live)[] = []
  const rewritten = new Map<string, JsonObject>()
  const leftOut: LeftOutEntry[] = []
  const control = (path: string, body: JsonObject): Promise<Response> =>
    sandbox.fetch(`http://sandbox/_sandbox/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  const checked = async (path: string, body: JsonObject): Promise<Response> => {
    const response = await control(path, body)
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return response
  }
  return {
    sandbox,
    us,
    target,
    accounts,
    ids,
    copied,
    policies,
    subscribers,
    tampers,
    rewritten,
    leftOut,
    outage,
    now: () => sandbox.clock(),
    async advance(to) {
      await checked('clock', { to })
    },
    async act(act, input) {
      await checked('act', { act, ...input })
    },
    async copy() {
      const csv = await (await checked('copy', { from: 'us', to: 'target' })).text()
      for (const line of csv.trim().split('\n').slice(1)) copied.push(line.trim().split(','))
    },
    async classify(stage, more = {}) {
      const quiet = { start: () => {}, step: () => {}, note: () => {}, done: () => {} }
      const [source, here] = [await readAccount(accounts.us, quiet), await readAccount(accounts.target, quiet)]
      const entries = [...subscribers].map(([id, entry]) =>
        desiredOf(
          present(
            source.subscriptions.find((one) => one.id === id),
            id,
          ),
          { stage, ...entry, ...more },
        ),
      )
      const rows = copied.map(([customerOld = '', sourceOld = '', customerNew = '', sourceNew = '']) => ({
        customerOld,
        customerNew,
        sourceOld,
        sourceNew,
      }))
      return classifySubscribers({
        catalog: catalogOf(entries, { ...defaults, ...policies }, { ids, rewritten, leftOut }),
        live: tampers.reduce<Live>((live, tamper) => tamper(live), {
          target: here,
          sources: new Map([['us', source]]),
          resources: new Map([['tax_rate', await listAll(accounts.target, '/v1/tax_rates', {})]]),
        }),
        copyMaps: new Map([['us', copyMapOf(rows)]]),
        remembered: new Map(),
        now: sandbox.clock(),
      })
    },
    async charges() {
      const response = await sandbox.fetch('http://sandbox/_sandbox/charges')
      return (await response.json()) as Charge[]
    },
  }
}

/** What `pull` would have written for this subscription. */
function desiredOf(live: Stripe.Subscription, more: Partial<DesiredSubscriber>): DesiredSubscriber {
  const end = Math.min(...live.items.data.map((item) => item.current_period_end))
  const keyOf = (id: string): string => id.replace(/^.*?_us_/, '')
  const pinned = live.default_payment_method
  return {
    key: subscriberKey('us', live.id),
    source: 'us',
    subscription: live.id,
    file: 'subscribers/us/wave-01.yaml',
    stage: 'source',
    customer: idOf(live.customer),
    items: live.items.data.map((item) => ({ price: keyOf(item.price.nickname ?? ''), quantity: item.quantity ?? 1 })),
    next_invoice: instant(live.status === 'trialing' ? (live.trial_end ?? end) : end),
    anchor: instant(live.billing_cycle_anchor),
    ...(pinned === null ? {} : { payment_method: idOf(pinned) }),
    discounts: live.discounts.flatMap((discount) =>
      typeof discount === 'string' || discount.source.coupon === null
        ? []
        : [{ coupon: idOf(discount.source.coupon), ...(discount.end === null ? {} : { ends: instant(discount.end) }) }],
    ),
    tax_rates: (live.default_tax_rates ?? []).map(({ display_name: name }) => name.toLowerCase()),
    automatic_tax: live.automatic_tax.enabled,
    ...(live.status === 'trialing' && live.trial_end !== null ? { trial_end: instant(live.trial_end) } : {}),
    ...(live.cancel_at === null ? {} : { cancel_at: instant(live.cancel_at) }),
    cancel_at_period_end: live.cancel_at_period_end,
    collection_method: live.collection_method === 'send_invoice' ? 'send_invoice' : 'charge_automatically',
    ...(live.days_until_due === null ? {} : { days_until_due: live.days_until_due }),
    at: { file: 'subscribers/us/wave-01.yaml', line: 1, column: 1 },
    ...more,
  }
}

function catalogOf(
  subscribers: readonly DesiredSubscriber[],
  policies: Policies,
  { ids, rewritten, leftOut }: Pick<Stage, 'ids' | 'rewritten' | 'leftOut'>,
): Catalog {
  const old = (kind: string, keys: readonly string[]): Record<string, string> =>
    Object.fromEntries(keys.map((key) => [present(ids.get(`us ${kind}.${key}`), key), key]))
  const mappings: Mappings = {
    products: old('product', ['membership']),
    prices: old('price', Object.keys(prices)),
    tax_rates: old('tax_rate', Object.keys(taxRates)),
    coupons: Object.fromEntries(Object.keys(coupons).map((key) => [key, key])),
  }
  return {
    project: {
      name: 'formulation-school',
      accounts: { target: { sandbox: true }, us: { sandbox: true } },
      policies,
      guards: {},
      store: { file: 'state/crossbill.db' },
      sandbox: { seed: 1, clock: instant(0), copied: [] },
      copy_maps: {},
    },
    resources: [
      ...resources('price', prices, { product: 'membership' }),
      ...resources('coupon', coupons),
      ...resources('tax_rate', taxRates),
    ].map((one) => ({ ...one, value: rewritten.get(one.address) ?? one.value })),
    subscribers,
    mappings: new Map([['us', mappings]]),
    access: {},
    externals: [],
    removed: new Map(),
    moved: new Map(),
    digest: 'test',
    leftOut: { entries: leftOut, files: new Map() },
  }
}

function resources(
  kind: string,
  values: Readonly<Record<string, JsonObject>>,
  more: JsonObject = {},
): DesiredResource[] {
  return Object.entries(values).map(([key, value]) => ({
    address: address(kind, key),
    kind,
    key,
    value: { ...more, ...value },
    at: { file: `${kind}s.yaml`, line: 1, column: 1 },
  }))
}

/** The same catalog in both accounts, as after an earlier apply. */
async function furnish(us: Stripe, target: Stripe): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const [account, client] of [
    ['us', us],
    ['target', target],
  ] as const) {
    const known = (name: string, id: string): unknown => ids.set(`${account} ${name}`, id)
    const product = await client.products.create({ name: 'Membership' })
    known('product.membership', product.id)
    for (const [key, value] of Object.entries(prices)) {
      const params = { ...value, product: product.id, nickname: `${key}` } as unknown as Stripe.PriceCreateParams
      known(`price.${key}`, (await client.prices.create(params)).id)
    }
    for (const [key, value] of Object.entries(coupons)) {
      const metadata = account === 'target' ? { [markAddress]: `coupon.${key}` } : {}
      const params = { ...value, id: key, name: key, metadata } as unknown as Stripe.CouponCreateParams
      known(`coupon.${key}`, (await client.coupons.create(params)).id)
    }
    for (const [key, value] of Object.entries(taxRates)) {
      const params = value as unknown as Stripe.TaxRateCreateParams
      known(`tax_rate.${key}`, (await client.taxRates.create(params)).id)
    }
  }
  return ids
}

/** A member with a working card as the default. */
export async function memberOf(stage: Stage, more: Stripe.CustomerCreateParams = {}): Promise<string> {
  const customer = await stage.us.customers.create({ name: 'A Member', email: 'member@example.test', ...more })
  const card = await stage.us.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stage.us.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })
  return customer.id
}

/** A subscription to a price of the old account, declared in the catalog. */
export async function subscribe(
  stage: Stage,
  customer: string,
  more: Partial<Stripe.SubscriptionCreateParams> & { price?: string } = {},
): Promise<string> {
  const { price = 'monthly', ...params } = more
  const created = await stage.us.subscriptions.create({
    customer,
    items: [{ price: present(stage.ids.get(`us price.${price}`), price) }],
    ...params,
  })
  stage.subscribers.set(created.id, {})
  return created.id
}
