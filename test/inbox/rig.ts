import type { Signal } from '../../src/cancel/signal.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import Stripe from 'stripe'
import type { Access } from '../../src/catalog/schemas/access.ts'
import { projectFrom } from '../../src/catalog/project.ts'
import type { Catalog, DesiredSubscriber } from '../../src/catalog/types.ts'
import { present } from '../../src/core/assert.ts'
import { formatInstant, instant, type Instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Alert, InboxContext, LogLine } from '../../src/engine/inbox/context.ts'
import type { ReconcileContext } from '../../src/engine/inbox/reconcile.ts'
import type { KajabiSite } from '../../src/engine/kajabi-port.ts'
import type { Accounts } from '../../src/engine/ports.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { openStore, type OpenStore, type StoreOptions } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'

/** Retries of lists do not keep a test waiting. */
const timing = { milliseconds: () => performance.now(), sleep: () => Promise.resolve() }

const silent = { start() {}, step() {}, note() {}, done() {} }

/** One member: an old subscription, perhaps held with a successor, and access in Kajabi. */
export interface Member {
  readonly customer: string
  readonly contact: string
  /** `us/sub_…` */
  readonly subscriber: string
  readonly old: string
  readonly successor: string | undefined
}

export interface Rig {
  readonly sandbox: Sandbox
  readonly store: OpenStore
  readonly accounts: Accounts
  readonly kajabi: KajabiSite
  readonly access: Access
  readonly tag: string
  readonly form: string
  readonly alerts: Alert[]
  readonly lines: LogLine[]
  /** Waits that were asked for, in seconds; the clock moves by them. */
  readonly waits: number[]
  readonly context: ReconcileContext
  stripe(account: string): Stripe
  /** People and automations at work in Kajabi. */
  act(order: JsonObject): Promise<Record<string, string>>
  member(name: string, stage: 'source' | 'held' | 'settled'): Promise<Member>
  status(account: string, subscription: string | undefined): Promise<string>
  now(): Instant
  pass(seconds: number): void
  /** Lets the accounts and Kajabi live on. */
  advance(seconds: number): Promise<void>
  close(): Promise<void>
}

export interface RigOptions {
  readonly store?: StoreOptions
  readonly deliver?: typeof fetch
  readonly policy?: Partial<InboxContext['policy']>
  readonly offer?: Partial<Access['offers'][string]>
  /** Days after which Kajabi takes the offer away by itself. */
  readonly accessDays?: number
  /** Stands between the adapters and the sandbox: faults, counting. */
  readonly between?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch
}

/**
 * A small school in the sandbox: one offer, its cancel tag, a form; members on demand. Time passes
 * only when somebody waits.
 */
export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const sandbox = createSandbox({
    accounts: ['target', 'us'],
    ...(options.deliver === undefined ? {} : { deliver: options.deliver }),
  })
  const store = await openStore(options.store ?? { file: ':memory:' })
  const http = options.between?.(sandbox.fetch) ?? sandbox.fetch
  const clock = (): number => sandbox.clock() * 1_000
  const connect = (name: string) => connectAccount({ name, key: `sk_test_sandbox_${name}`, fetch: http, timing, clock })
  const accounts: Accounts = { target: await connect('target'), sources: new Map([['us', await connect('us')]]) }
  const act = async (order: JsonObject): Promise<Record<string, string>> => {
    const answer = await sandbox.fetch('http://sandbox/_sandbox/kajabi', {
      method: 'POST',
      body: JSON.stringify(order),
    })
    const done = (await answer.json()) as Record<string, string>
    if (answer.status !== 200) throw new Error(`Kajabi: ${JSON.stringify(done)}`)
    return done
  }
  const { offer } = await act({
    act: 'make_offer',
    title: 'Membership',
    free: true,
    ...(options.accessDays === undefined ? {} : { access_days: options.accessDays }),
  })
  const { tag } = await act({ act: 'make_tag', name: 'cancel-membership' })
  const { form } = await act({ act: 'make_form', title: 'Cancel' })
  const access: Access = {
    offers: { membership: { kajabi: offer ?? '', prices: ['membership'], cancel_tags: [tag ?? ''], ...options.offer } },
    forms: { [form ?? '']: { offer: 'membership' } },
  }
  const kajabi = siteOf(sandbox, http)
  const alerts: Alert[] = []
  const lines: LogLine[] = []
  const waits: number[] = []
  let passed = 0
  const now = (): Instant => instant(sandbox.clock() + Math.floor(passed))
  const catalog: Catalog = {
    project: projectFrom({ project: 'school' }),
    resources: [],
    subscribers: [],
    mappings: new Map(),
    access: {},
    externals: [],
    removed: new Map(),
    moved: new Map(),
    digest: '',
  }
  const context: ReconcileContext = {
    accounts,
    store,
    inbox: store.inbox,
    kajabi,
    access,
    mappings: catalog.mappings,
    resources: catalog.resources,
    moved: catalog.moved,
    policy: { cancel: 'now', cancelsPerHour: 1_000, secondLookSeconds: 20, ...options.policy },
    alert: (alert) => void alerts.push(alert),
    log: (line) => void lines.push(line),
    run: 'worker-1',
    interrupt: { requested: false },
    clock: now,
    random: () => 0.5,
    wait: (seconds) => {
      waits.push(seconds)
      passed += seconds
      return Promise.resolve()
    },
    catalog,
    progress: silent,
    hooks: undefined,
  }
  const stripe = (account: string): Stripe =>
    new Stripe(`sk_test_sandbox_${account}`, {
      httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
      maxNetworkRetries: 0,
    })
  const prices = new Map<string, Promise<string>>()
  const priceOf = (account: string): Promise<string> => {
    const made = prices.get(account) ?? makePrice(stripe(account))
    prices.set(account, made)
    return made
  }
  return {
    sandbox,
    store,
    accounts,
    kajabi,
    access,
    tag: tag ?? '',
    form: form ?? '',
    alerts,
    lines,
    waits,
    context,
    stripe,
    act,
    now,
    pass: (seconds) => void (passed += seconds),
    async advance(seconds) {
      const to = formatInstant(instant(sandbox.clock() + seconds))
      await sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })
    },
    async member(name, stage) {
      const email = `${name}@school.example`
      const customer = await makeCustomer(stripe('us'), email)
      const old = await subscribe(stripe('us'), customer, await priceOf('us'), {})
      const subscriber = `us/${old}`
      if (stage !== 'source')
        await sandbox.fetch('http://sandbox/_sandbox/copy', {
          method: 'POST',
          body: JSON.stringify({ from: 'us', to: 'target' }),
        })
      const successor =
        stage === 'source' ? undefined : await succeed(stripe, { customer, old, price: await priceOf('target') })
      if (stage === 'settled') {
        const comment = `crossbill settled, continues as ${successor}`
        await stripe('us').subscriptions.cancel(old, { cancellation_details: { comment } })
      }
      const contact = present((await act({ act: 'make_contact', email, name }))['contact'], 'contact')
      await kajabi.grant(contact, access.offers['membership']?.kajabi ?? '', { welcome: false })
      await store.inbox.putGrants([
        {
          contact,
          offer: 'membership',
          customer,
          subscribers: [subscriber],
          prices: [],
          grantedAt: now(),
          protectedUntil: instant(0),
        },
      ])
      // A new contact is missing from Kajabi's lists until they have been asked once more.
      await kajabi.findContact(email)
      return { customer, contact, subscriber, old, successor }
    },
    async status(account, subscription) {
      return (await stripe(account).subscriptions.retrieve(subscription ?? '')).status
    },
    async close() {
      await store.close()
      sandbox.close()
    },
  }
}

/** The member's entry in the catalog. */
export function declared(member: Member): DesiredSubscriber {
  return {
    key: member.subscriber as DesiredSubscriber['key'],
    source: 'us',
    subscription: member.old,
    file: 'subscribers/us/wave-01.yaml',
    stage: 'target',
    customer: member.customer,
    items: [{ price: 'membership' }],
    anchor: instant(0),
    discounts: [],
    tax_rates: [],
    automatic_tax: false,
    collection_method: 'charge_automatically',
    at: { file: 'x', line: 1, column: 1 },
  }
}

export function siteOf(sandbox: Sandbox, http: typeof globalThis.fetch = sandbox.fetch): KajabiSite {
  const { site, client_id: clientId, client_secret: clientSecret, api_base: path } = sandbox.ready.kajabi
  return kajabiSite({
    base: new URL(path, 'http://sandbox'),
    fetch: http,
    spacing: 0,
    timeout: 5_000,
    clock: () => performance.now(),
    site,
    credentials: { clientId, clientSecret },
  })
}

async function makePrice(stripe: Stripe): Promise<string> {
  const product = await stripe.products.create({ name: 'Formulation Membership' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4_900,
    recurring: { interval: 'month' },
    // The school's own name for it, which is not its key in the catalog.
    lookup_key: 'membership-month-usd',
    metadata: { crossbill_address: 'price.membership', crossbill_project: 'school' },
  })
  return price.id
}

async function makeCustomer(stripe: Stripe, email: string): Promise<string> {
  const customer = await stripe.customers.create({
    email,
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  })
  return customer.id
}

async function subscribe(
  stripe: Stripe,
  customer: string,
  price: string,
  metadata: Record<string, string>,
): Promise<string> {
  return (await stripe.subscriptions.create({ customer, items: [{ price }], metadata })).id
}

/** Holds the old subscription and makes its successor for the copied customer. */
async function succeed(
  stripe: (account: string) => Stripe,
  { customer, old, price }: { customer: string; old: string; price: string },
): Promise<string> {
  await stripe('us').subscriptions.update(old, {
    pause_collection: { behavior: 'void' },
    metadata: { crossbill_hold: '{"before":null}' },
  })
  const { id } = await stripe('target').paymentMethods.attach('pm_card_visa', { customer })
  await stripe('target').customers.update(customer, { invoice_settings: { default_payment_method: id } })
  return subscribe(stripe('target'), customer, price, { crossbill_from: `us/${old}`, crossbill_project: 'school' })
}

/** Signals of a relay to the rig of a test, and the state of their rows as text. */
export function signalsTo(rig: () => Rig): {
  readonly signal: (more: Partial<Signal>) => Promise<{ id: string }>
  readonly state: (id: string) => Promise<string>
} {
  let messages = 0
  return {
    signal: (more) =>
      acceptSignal(rig().context, {
        source: 'relay',
        event: 'cancel',
        offer: 'membership',
        receivedAt: rig().now(),
        message: `m${++messages}`,
        ...more,
      }),
    async state(id) {
      const now = (await rig().store.inbox.get(id))?.row.now
      return now === undefined ? 'gone' : 'reason' in now ? `${now.state}: ${now.reason}` : now.state
    },
  }
}
