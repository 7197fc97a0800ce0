import { expect, test } from 'vitest'
import type { Access } from '../../src/catalog/schemas/access.ts'
import { instant, secondsPerDay } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Context } from '../../src/engine/context.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { openStore } from '../../src/store/open.ts'
import { clientOf } from '../sandbox/client.ts'
import { planAndApply } from './rig.ts'
import { openSchool, type School } from './school.ts'

const subscribers = 60

interface Kajabi extends AsyncDisposable {
  readonly with: (context: Context) => Context
  /** The cancel service as it was started: it does not know later moves. */
  readonly service: InboxContext
  readonly tags: ReadonlyMap<string, string>
  /** Methods and paths of every request to Kajabi. */
  readonly asked: readonly string[]
  act(order: JsonObject): Promise<JsonObject>
  /** E-mail addresses by product, from Kajabi's own rows. */
  holders(): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  /** Addresses of the contacts to which Crossbill granted the product, by its store. */
  granted(): Promise<ReadonlyMap<string, ReadonlySet<string>>>
}

/**
 * One offer per product, given by all its prices; a revoke would be a cancel if the service mistook
 * it for a request.
 */
async function kajabiOf(school: School): Promise<Kajabi> {
  const { sandbox, context } = school.rig
  const asked: string[] = []
  const { ready } = sandbox
  const kajabi = kajabiSite({
    base: new URL(ready.kajabi.api_base, 'https://sandbox.invalid'),
    fetch: async (input, init) => {
      asked.push(`${init?.method ?? 'GET'} ${new Request(input).url}`)
      return sandbox.fetch(input, init)
    },
    spacing: 0,
    timeout: 5_000,
    clock: () => performance.now(),
    site: ready.kajabi.site,
    credentials: { clientId: ready.kajabi.client_id, clientSecret: ready.kajabi.client_secret },
  })
  const act = (order: JsonObject): Promise<JsonObject> => control(sandbox, order)
  const offers: Record<string, Access['offers'][string]> = {}
  const tags = new Map<string, string>()
  for (const { key, kind } of school.catalog.resources) {
    if (kind !== 'product') continue
    const { offer } = (await act({ act: 'make_offer', title: key })) as { offer: string }
    const { tag } = (await act({ act: 'make_tag', name: `cancel-${key}` })) as { tag: string }
    const prices = school.catalog.resources.filter((one) => one.kind === 'price' && one.value['product'] === key)
    offers[key] = { kajabi: offer, prices: prices.map((one) => one.key), cancel_tags: [tag], revoked_means: 'cancel' }
    tags.set(key, tag)
  }
  const access: Access = { offers }
  const store = await openStore({ file: ':memory:' })
  const service: InboxContext = {
    accounts: context.accounts,
    store: context.store,
    inbox: store.inbox,
    kajabi,
    access,
    mappings: school.catalog.mappings,
    resources: school.catalog.resources,
    moved: school.catalog.moved,
    policy: { cancel: 'now', cancelsPerHour: 1_000, secondLookSeconds: 0 },
    alert: () => {},
    log: () => {},
    run: 'service',
    interrupt: { requested: false },
    clock: () => sandbox.clock(),
    random: () => 0.5,
    wait: () => Promise.resolve(),
  }
  const contacts = async (offer: string): Promise<ReadonlyMap<string, string>> => {
    const held = await kajabi.holders(offer)
    if (!held.ok) throw new Error(held.failure.message)
    return held.value
  }
  return {
    with: (one) => ({ ...one, access: { kajabi, grants: store.inbox, offers: access } }),
    service,
    tags,
    asked,
    act,
    async holders() {
      const pairs = Object.entries(offers).map(async ([key, { kajabi: id }]) => {
        return [key, new Set((await contacts(id)).keys())] as const
      })
      return new Map(await Promise.all(pairs))
    },
    async granted() {
      const found = new Map<string, Set<string>>()
      for (const { contact, offer } of await store.inbox.grants()) {
        const who = [...(await contacts(offers[offer]?.kajabi ?? ''))].find(([, id]) => id === contact)?.[0]
        found.set(offer, new Set([...(found.get(offer) ?? []), who ?? `contact ${contact} without it`]))
      }
      return found
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}

async function control(sandbox: Sandbox, order: JsonObject): Promise<JsonObject> {
  const answer = await sandbox.fetch('https://sandbox/_sandbox/kajabi', { method: 'POST', body: JSON.stringify(order) })
  const body = (await answer.json()) as JsonObject
  if (!answer.ok) throw new Error(JSON.stringify(body))
  return body
}

/**
 * Who pays for which product, by address, from the accounts alone: every live subscription that is
 * not held by a hand-over. Products are matched by name, which is all that the three accounts
 * share.
 */
async function payers(school: School): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const keys = new Map(
    school.catalog.resources
      .filter(({ kind }) => kind === 'product')
      .map(({ key, value }) => [String(value['name'] as string), key]),
  )
  const found = new Map<string, Set<string>>()
  for (const account of ['us', 'intl', 'target']) {
    const stripe = clientOf(school.rig.sandbox, account)
    const names = new Map<string, string>()
    for await (const { id, name } of stripe.products.list({ limit: 100 })) names.set(id, name)
    for await (const one of stripe.subscriptions.list({ status: 'all', limit: 100, expand: ['data.customer'] })) {
      if (!['active', 'trialing', 'past_due'].includes(one.status) || one.metadata['crossbill_hold'] !== undefined)
        continue
      const email = typeof one.customer === 'object' && 'email' in one.customer ? (one.customer.email ?? '') : ''
      for (const { price } of one.items.data) {
        const key = keys.get(names.get(price.product as string) ?? '') ?? ''
        found.set(key, new Set([...(found.get(key) ?? []), email.toLowerCase()]))
      }
    }
  }
  return found
}

const sorted = (all: ReadonlyMap<string, ReadonlySet<string>>): Record<string, readonly string[]> =>
  Object.fromEntries([...all].filter(([, who]) => who.size > 0).map(([key, who]) => [key, [...who].toSorted()]))

const accessViolations = async (context: Context): Promise<readonly string[]> =>
  (await verify(context)).violations.filter(({ code }) => code.startsWith('access_')).map(({ code }) => code)

test(
  'a school moved, cancelled in part, settled and revoked by an old integration: payers have their offers, others have none of Crossbill’s',
  { timeout: 120_000 },
  async () => {
    await using school = await openSchool(subscribers)
    await using kajabi = await kajabiOf(school)
    const { sandbox } = school.rig
    const allow = { allow: [...guardNames] }
    const guest = 'guest@school.test'
    await kajabi.act({ act: 'make_contact', email: guest, name: 'Guest' })
    const [aProduct = ''] = kajabi.tags.keys()
    await kajabi.act({ act: 'grant', contact: guest, offer: aProduct })

    const exact = async (): Promise<void> => {
      const [paying, held, granted] = [await payers(school), await kajabi.holders(), await kajabi.granted()]
      const theirs = new Map([...held].map(([key, who]) => [key, new Set([...who].filter((one) => one !== guest))]))
      expect(sorted(theirs)).toEqual(sorted(paying))
      expect(sorted(granted)).toEqual(sorted(paying))
      expect(held.get(aProduct)).toContain(guest)
    }

    // Every member has access before the first move; then one account after another moves.
    await planAndApply(kajabi.with(school.stage('source')), allow)
    await exact()
    await planAndApply(kajabi.with(school.stage((one) => (one.source === 'us' ? 'target' : 'source'))), allow)
    const target = (): Context => kajabi.with(school.stage('target'))
    await planAndApply(target(), allow)
    await exact()

    // Just moved: one member cancels by tag, at a service that was started before; one subscription
    // ends in the target, one in an old account.
    const grants = await kajabi.service.inbox.grants()
    const subscriptions = (await clientOf(sandbox, 'target').subscriptions.list({ limit: 100 })).data
    const successor = (key: string): string =>
      subscriptions.find(({ metadata }) => metadata['crossbill_from'] === key)?.id ?? ''
    const moved = grants.filter((one) => one.subscribers.length === 1 && successor(one.subscribers[0] ?? '') !== '')
    const [tagged, ended] = moved
    if (tagged === undefined || ended === undefined) throw new Error('too few were moved')
    const tag = kajabi.tags.get(tagged.offer) ?? ''
    await kajabi.act({ act: 'add_tag', contact: tagged.contact, tag })
    const signal = { source: 'hook', event: 'tag_added', contact: tagged.contact, tag, message: 'x' } as const
    await acceptSignal(kajabi.service, { ...signal, receivedAt: sandbox.clock() })
    await workInbox(kajabi.service, 10)
    const stripe = clientOf(sandbox, 'target')
    expect((await stripe.subscriptions.retrieve(successor(tagged.subscribers[0] ?? ''))).status).toBe('canceled')
    await stripe.subscriptions.cancel(successor(ended.subscribers[0] ?? ''))
    const stayed = school.catalog.subscribers.find(({ key }) => successor(key) === '' && key.startsWith('us/'))
    if (stayed !== undefined)
      await clientOf(sandbox, 'us')
        .subscriptions.cancel(stayed.subscription)
        .catch(() => {})
    expect(await accessViolations(target())).toContain('access_extra')
    await planAndApply(target(), allow)
    await exact()

    // One renewal later all are settled, and an old integration revokes every offer of the settled
    // members.
    await school.advance(instant(sandbox.clock() + 40 * secondsPerDay))
    await planAndApply(kajabi.with(school.stage('settled')), allow)
    const settled = (await kajabi.service.inbox.grants()).filter(({ subscribers: [one = ''] }) => successor(one) !== '')
    for (const { contact, offer } of settled) await kajabi.act({ act: 'revoke', contact, offer })
    const poll = await pollAccess(kajabi.service)
    expect(poll).toMatchObject({ signals: 0, read: true })
    expect(poll.repaired).toBeGreaterThan(subscribers / 4)
    await workInbox(kajabi.service, 100)
    await planAndApply(kajabi.with(school.stage('settled')), allow)
    await exact()
    expect((await makePlan(kajabi.with(school.stage('settled')))).summary).toMatchObject({ grant: 0, revoke: 0 })

    // Verify reads it from Kajabi itself.
    const last = (): Context => kajabi.with(school.stage('settled'))
    expect(await accessViolations(last())).toEqual([])
    const [any] = await kajabi.service.inbox.grants()
    await kajabi.act({ act: 'revoke', contact: any?.contact ?? '', offer: any?.offer ?? '' })
    expect(await accessViolations(last())).toEqual(['access_missing'])
    // No request ever replaces all offers of a contact.
    expect(kajabi.asked.filter((one) => one.startsWith('PATCH') && one.includes('relationships'))).toEqual([])
  },
)

test(
  'a grant takes two requests, and one more for a new contact: one list replaces the searches',
  { timeout: 60_000 },
  async () => {
    await using school = await openSchool(24)
    await using kajabi = await kajabiOf(school)
    const before = kajabi.asked.length
    await planAndApply(kajabi.with(school.stage('source')), { allow: [...guardNames] })
    const sent = kajabi.asked.slice(before).filter((one) => one.includes('/v1/contacts'))
    const granted = sent.filter((one) => one.startsWith('POST') && one.endsWith('/relationships/offers')).length
    const marked = sent.filter((one) => one.startsWith('PATCH')).length
    expect(granted).toBeGreaterThan(15)
    // A person with two offers is marked once, and nobody is searched.
    expect(marked).toBeLessThanOrEqual(granted)
    expect(sent.filter((one) => one.includes('search'))).toEqual([])
    // The same again grants nothing and asks for no list of contacts.
    const again = kajabi.asked.length
    await planAndApply(kajabi.with(school.stage('source')), { allow: [...guardNames] })
    expect(kajabi.asked.slice(again).filter((one) => !one.startsWith('GET'))).toEqual([])
  },
)
