import type { Access } from '../../src/catalog/schemas/access.ts'
import { readKajabiHook } from '../../src/cancel/kajabi-hook.ts'
import { readStripeEvent } from '../../src/cancel/stripe-event.ts'
import { heardEvents } from '../../src/catalog/service-endpoint.ts'
import { instant, secondsPerHour } from '../../src/core/instant.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import type { Context } from '../../src/engine/context.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import type { Alert, InboxContext } from '../../src/engine/inbox/context.ts'
import { ensureHooks } from '../../src/engine/inbox/hooks.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { pollTags, type SeenTags } from '../../src/engine/inbox/poll-tags.ts'
import type { InboxState } from '../../src/cancel/machine.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import type { KajabiSite } from '../../src/engine/kajabi-port.ts'
import { Killed, mortal, type Boundary } from '../../src/engine/rehearse/mortal.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import type { OpenStore } from '../../src/store/open.ts'
import { clientOf } from '../sandbox/client.ts'
import type { Mutation } from './mutations.ts'

/** How Kajabi's call for a tag reaches the service. */
export type Arrival = 'once' | 'twice' | 'late' | 'lost'

const address = { publicUrl: 'https://cancel.school.example', secrets: ['a'.repeat(32)] }
/** The longest wait between two attempts of a signal: six hours. */
const longestRetry = 6 * secondsPerHour
const looksMax = 24

/** What the service uses: the world, and the present store. */
interface Surroundings {
  readonly sandbox: Sandbox
  readonly context: () => Context & { readonly store: OpenStore }
  readonly mutate: Mutation
}

/**
 * The cancel service of the school: its doors, its worker and its pollers, on a machine whose clock
 * differs from Stripe's.
 */
export class Service {
  readonly kajabi: KajabiSite
  readonly access: Access
  /** Every body that a hook delivered: an old one may arrive again at any time. */
  readonly heard: string[] = []
  readonly alerts: Alert[] = []
  readonly counts = { hooks: 0, duplicates: 0, events: 0, refused: 0 }
  /** How the next hooks arrive. */
  arrival: Arrival = 'once'
  /** Whether the worker runs beside other actions. */
  awake = false
  /** Seconds by which this machine's clock is ahead of Stripe's. */
  private skew = 0
  private runs = 0
  private seen: SeenTags = new Map()
  private readonly around: Surroundings

  private constructor(around: Surroundings, access: Access) {
    this.around = around
    this.access = access
    this.kajabi = connect(around.sandbox)
  }

  /**
   * Creates the school's offers and tags in Kajabi, and registers the hooks of Kajabi and Stripe.
   */
  static async open(around: Surroundings, offers: Readonly<Record<string, readonly string[]>>): Promise<Service> {
    const { sandbox } = around
    const named: Access['offers'] = {}
    for (const [name, prices] of Object.entries(offers)) {
      const offer = idIn(await order(sandbox, { act: 'make_offer', title: name, free: true }), 'offer')
      const tag = idIn(await order(sandbox, { act: 'make_tag', name: `cancel-${name}` }), 'tag')
      named[name] = { kajabi: offer, prices: [...prices], cancel_tags: [tag] }
    }
    // A person with an offer granted by the school who was never a subscriber.
    const friend = { act: 'make_contact', email: 'friend@example.com', name: 'Friend' }
    const contact = idIn(await order(sandbox, friend), 'contact')
    await order(sandbox, { act: 'grant', contact, offer: 'membership' })
    const service = new Service(around, { offers: named })
    sandbox.world.deliver = (input, init) => service.answer(new Request(input, init))
    const hooks = await ensureHooks(service.kajabi, service.access, address)
    if (!hooks.ok) throw new Error(hooks.failure.message)
    for (const account of ['us', 'intl', 'target'])
      await clientOf(sandbox, account).webhookEndpoints.create({
        url: `https://cancel.school.example/stripe/${account}`,
        enabled_events: [...heardEvents[account === 'target' ? 'target' : 'source']],
      })
    await service.delivered()
    return service
  }

  /** access.yaml is edited: other prices give these offers. */
  offer(prices: Readonly<Record<string, readonly string[]>>): void {
    for (const [name, offer] of Object.entries(this.access.offers)) offer.prices = [...(prices[name] ?? [])]
  }

  /** Waits until all deliveries have arrived. */
  async delivered(): Promise<void> {
    const { deliveries } = this.around.sandbox.world
    while (deliveries.size > 0) await Promise.all(deliveries)
  }

  /** The doors: Kajabi's hooks, and the events of every account. */
  private async answer(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response(null, { status: 200 })
    const body = await request.text()
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/stripe/')) return this.event(pathname.slice('/stripe/'.length), body)
    switch (this.arrival) {
      case 'late':
        this.counts.refused++
        return new Response(null, { status: 503 })
      case 'lost':
        return new Response(null, { status: 200 })
      case 'twice':
        await this.hook(body)
        return this.hook(body)
      case 'once':
        return this.hook(body)
    }
  }

  /** Trusts nothing in the body: ids to look up, stored before the answer. */
  async hook(body: string): Promise<Response> {
    this.counts.hooks++
    if (!this.heard.includes(body)) this.heard.push(body)
    const reading = readKajabiHook(body, JSON.parse(body) as Json, this.access, this.clock())
    if ('signal' in reading) {
      const { duplicate } = await acceptSignal(this.inbox(), reading.signal)
      if (duplicate) this.counts.duplicates++
    }
    return new Response(null, { status: 202 })
  }

  private async event(account: string, body: string): Promise<Response> {
    this.counts.events++
    const event: unknown = JSON.parse(body)
    if (!isJsonObject(event)) return new Response(null, { status: 400 })
    const reading = readStripeEvent(account, account === 'target', event, this.clock())
    if (reading.notice !== undefined) this.alerts.push(reading.notice)
    if (reading.signal !== undefined) await acceptSignal(this.inbox(), reading.signal)
    // While time passes, the worker processes a signal at the instant of its arrival.
    if (this.awake && reading.signal !== undefined) await this.look()
    return new Response(null, { status: 202 })
  }

  clock(): ReturnType<Sandbox['clock']> {
    return instant(this.around.sandbox.clock() + this.skew)
  }

  /** This machine's clock is changed. */
  jump(seconds: number): void {
    this.skew += seconds
  }

  /** An operator's command, or any other signal that is trusted when it is accepted. */
  async operator(subscriber: string): Promise<void> {
    const message = `${subscriber} ${this.clock()} ${++this.runs}`
    const receivedAt = this.clock()
    await acceptSignal(this.inbox(), { source: 'operator', event: 'cancel', subscriber, receivedAt, message })
  }

  /** One life of the worker; it dies at this boundary. True when it died. */
  async look(dies: (boundary: Boundary) => boolean = () => false): Promise<boolean> {
    const life = mortal(this.around.mutate(this.around.context()), dies)
    const inbox = this.inbox()
    try {
      await workInbox(
        {
          ...inbox,
          accounts: life.context.accounts,
          store: life.context.store,
          inbox: life.with(inbox.inbox, []),
          kajabi: life.with(this.kajabi, ['revoke', 'removeTag']),
        },
        50,
      )
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
    return life.dead()
  }

  /**
   * Works until no signal waits; attempts wait for one another, and a row of a dead worker is free
   * after its lease.
   */
  async work(): Promise<boolean> {
    for (let turn = 0; turn < looksMax; turn++) {
      if ((await this.pending()) === 0) return true
      await this.look()
      if ((await this.pending()) > 0) this.skew += longestRetry
    }
    return (await this.pending()) === 0
  }

  /** What the pollers do every minute: tags seen twice in a row, and missing offers. */
  async poll(): Promise<void> {
    for (let look = 0; look < 2; look++) await pollTags(this.inbox(), this.seen)
    await pollAccess(this.inbox())
  }

  async pending(): Promise<number> {
    const { states } = await this.around.context().store.inbox.counts()
    return states.received + states.verifying + states.cancelling + states.retry
  }

  async rows(state: InboxState['state']): Promise<readonly string[]> {
    const rows = await this.around.context().store.inbox.list({ state, limit: 1_000 })
    return rows.map(({ id }) => id)
  }

  /** The service was restarted: what it had only in memory is lost. */
  forget(): void {
    this.seen = new Map()
  }

  private inbox(): InboxContext {
    const { accounts, store, catalog } = this.around.context()
    return {
      accounts,
      store,
      inbox: store.inbox,
      kajabi: this.kajabi,
      access: this.access,
      mappings: catalog.mappings,
      resources: catalog.resources,
      moved: catalog.moved,
      policy: { cancel: 'now', cancelsPerHour: 1_000, secondLookSeconds: 0 },
      alert: (alert) => void this.alerts.push(alert),
      log() {},
      run: `service-${++this.runs}`,
      interrupt: { requested: false },
      clock: () => this.clock(),
      random: () => 0,
      wait: async () => {},
    }
  }
}

/** The id in an answer. */
export function idIn(answer: JsonObject, name = 'id'): string {
  const id = answer[name]
  if (typeof id !== 'string') throw new Error(`no ${name} in ${JSON.stringify(answer)}`)
  return id
}

/** Acts of people and automations in Kajabi. */
export async function order(sandbox: Sandbox, body: JsonObject): Promise<JsonObject> {
  const answer = await sandbox.fetch('https://sandbox/_sandbox/kajabi', { method: 'POST', body: JSON.stringify(body) })
  const done: unknown = await answer.json()
  if (!answer.ok || !isJsonObject(done)) throw new Error(`Kajabi ${JSON.stringify(body)}: ${JSON.stringify(done)}`)
  return done
}

export function connect({ ready, fetch }: Sandbox): KajabiSite {
  const { site, client_id: clientId, client_secret: clientSecret, api_base: path } = ready.kajabi
  return kajabiSite({
    base: new URL(path, 'http://sandbox'),
    fetch,
    spacing: 0,
    timeout: 5_000,
    clock: () => performance.now(),
    site,
    credentials: { clientId, clientSecret },
  })
}
