import { expect, test } from 'vitest'
import type { Access } from '../../src/catalog/schemas/access.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { drift } from '../../src/engine/verify/drift.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { kajabiSite } from '../../src/kajabi/site.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { openStore, type OpenStore } from '../../src/store/open.ts'
import { members, type Members } from './members.ts'
import { dieAt, planAndApply } from './rig.ts'

const people = [
  { since: '2026-08-15T09:15:00Z' },
  { since: '2026-09-20T11:30:00Z', price: 'yearly' },
  { since: '2026-09-01T08:00:00Z', price: 'quarterly' },
] as const

interface Site extends AsyncDisposable {
  readonly school: Members
  readonly store: OpenStore
  readonly offer: string
  with(context: Context): Context
  order(act: JsonObject): Promise<JsonObject>
  holders(): Promise<readonly string[]>
}

/**
 * The small school with a Kajabi site. Its only offer belongs to the monthly and the yearly price,
 * not to the quarterly one.
 */
async function site(): Promise<Site> {
  const school = await members(people, '2026-10-05T12:00:00Z')
  const store = await openStore({ file: ':memory:' })
  const order = (act: JsonObject): Promise<JsonObject> => control(school.rig.sandbox, act)
  const { offer } = (await order({ act: 'make_offer', title: 'Membership' })) as { offer: string }
  const { ready, fetch } = school.rig.sandbox
  const kajabi = kajabiSite({
    base: new URL(ready.kajabi.api_base, 'https://sandbox.invalid'),
    fetch,
    spacing: 0,
    timeout: 5_000,
    clock: () => performance.now(),
    site: ready.kajabi.site,
    credentials: { clientId: ready.kajabi.client_id, clientSecret: ready.kajabi.client_secret },
  })
  const offers: Access = { offers: { membership: { kajabi: offer, prices: ['monthly', 'yearly'] } } }
  return {
    school,
    store,
    offer,
    order,
    with: (context) => ({ ...context, access: { kajabi, grants: store.inbox, offers } }),
    async holders() {
      const held = await kajabi.holders(offer)
      if (!held.ok) throw new Error(held.failure.message)
      return [...held.value.keys()].toSorted()
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await school[Symbol.asyncDispose]()
    },
  }
}

async function control(sandbox: Sandbox, act: JsonObject): Promise<JsonObject> {
  const answer = await sandbox.fetch('https://sandbox/_sandbox/kajabi', { method: 'POST', body: JSON.stringify(act) })
  const body = (await answer.json()) as JsonObject
  if (!answer.ok) throw new Error(JSON.stringify(body))
  return body
}

test('every payer has the offers, no other person has a grant of Crossbill, and a second plan is empty', async () => {
  await using kajabi = await site()
  const context = kajabi.with(kajabi.school.stage('target'))
  const before = await verify(context)
  const missing = before.violations.filter(({ code }) => code === 'access_missing').map(({ subscriber }) => subscriber)
  expect(new Set(missing)).toEqual(new Set(kajabi.school.keys.slice(0, 2)))
  const { plan, result } = await planAndApply(context)
  expect(plan.summary).toMatchObject({ move: 3, grant: 2, revoke: 0 })
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect(await kajabi.holders()).toHaveLength(2)
  expect((await makePlan(kajabi.with(kajabi.school.stage('target')))).changes).toEqual([])
  expect(await verify(kajabi.with(kajabi.school.stage('target')))).toMatchObject({ ok: true })
})

test('an offer that is revoked in Kajabi is drift, a violation, and granted again', async () => {
  await using kajabi = await site()
  const context = (): Context => kajabi.with(kajabi.school.stage('target'))
  await planAndApply(context())
  expect((await drift(context())).drift).toEqual([])
  const [held] = await kajabi.store.inbox.grants()
  await kajabi.order({ act: 'revoke', contact: held?.contact ?? '', offer: kajabi.offer })
  const [subscriber = ''] = held?.subscribers ?? []
  expect((await drift(context())).drift).toMatchObject([
    { address: `access.${subscriber}.membership`, code: 'access_taken' },
  ])
  expect((await verify(context())).violations).toMatchObject([{ code: 'access_missing', subscriber }])
  expect((await planAndApply(context())).plan.summary).toMatchObject({ grant: 1, revoke: 0 })
  expect((await drift(context())).drift).toEqual([])
  expect(await verify(context())).toMatchObject({ ok: true })
})

test('a member who stops paying loses Crossbill’s grants and keeps grants of people', async () => {
  await using kajabi = await site()
  await planAndApply(kajabi.with(kajabi.school.stage('target')))
  await kajabi.order({ act: 'make_contact', email: 'guest@school.test', name: 'Guest' })
  await kajabi.order({ act: 'grant', contact: 'guest@school.test', offer: kajabi.offer })
  const subscriptions = await kajabi.school.target.subscriptions.list({ limit: 100 })
  const mine = subscriptions.data.find((one) => one.metadata['crossbill_from'] === kajabi.school.keys[0])
  await kajabi.school.target.subscriptions.cancel(mine?.id ?? '')
  const before = await verify(kajabi.with(kajabi.school.stage('target')))
  const extra = before.violations.filter(({ code }) => code === 'access_extra').map(({ subscriber }) => subscriber)
  expect(extra).toEqual([kajabi.school.keys[0]])
  const { plan, result } = await planAndApply(kajabi.with(kajabi.school.stage('target')))
  expect(plan.summary).toMatchObject({ grant: 0, revoke: 1 })
  expect(result.changes.filter(({ action }) => action === 'revoke')).toMatchObject([{ outcome: 'done' }])
  expect(await kajabi.holders()).toHaveLength(2)
  expect(await kajabi.holders()).toContain('guest@school.test')
})

test('an apply from a fresh checkout restores the grants of members who pay', async () => {
  await using kajabi = await site()
  const context = (): Context => kajabi.with(kajabi.school.stage('target'))
  await planAndApply(context())
  const before = await kajabi.store.inbox.grants()
  await kajabi.store.inbox.removeGrants(before)
  const { plan } = await planAndApply(context())
  expect(plan.changes).toEqual([])
  const ids = (grants: typeof before) => grants.map(({ contact, offer, customer }) => ({ contact, offer, customer }))
  expect(ids(await kajabi.store.inbox.grants())).toEqual(ids(before))
  expect(await kajabi.store.inbox.holdings()).toEqual([])
})

test('a member who left and has an undeclared new subscription keeps the offers; so does a member who is no longer in the YAML', async () => {
  await using kajabi = await site()
  const { school } = kajabi
  await planAndApply(kajabi.with(school.stage('target')))
  const successors = (await school.target.subscriptions.list({ limit: 100 })).data
  const mine = successors.find((one) => one.metadata['crossbill_from'] === school.keys[0])
  const price = mine?.items.data[0]?.price.id ?? ''
  await school.target.subscriptions.cancel(mine?.id ?? '')
  const again = await school.target.subscriptions.create({
    customer: mine?.customer as string,
    items: [{ price }],
  })
  const context = kajabi.with(school.stage('target'))
  const [first, , third] = context.catalog.subscribers
  if (first === undefined || third === undefined) throw new Error('nobody declared')
  const forgetful = { ...context, catalog: { ...context.catalog, subscribers: [first, third] } }
  expect((await makePlan(forgetful)).summary).toMatchObject({ grant: 0, revoke: 0 })
  await school.target.subscriptions.cancel(again.id)
  expect((await makePlan(forgetful)).summary).toMatchObject({ grant: 0, revoke: 1 })
})

test.each(['source', 'target'] as const)(
  'access follows what is billed, not the YAML: a wrong price, an exclusion or a wrong folder takes nothing, stage %s',
  async (stage) => {
    await using kajabi = await site()
    await planAndApply(kajabi.with(kajabi.school.stage(stage)))
    const { catalog } = kajabi.school.stage(stage)
    const [first, second, third] = catalog.subscribers
    if (first === undefined || second === undefined || third === undefined) throw new Error('no entries')
    const wrong = [
      // `quarterly` gives nothing, and `monthly` would give the third member the offer.
      [{ ...first, items: [{ price: 'quarterly' }] }, second, { ...third, items: [{ price: 'monthly' }] }],
      [{ ...first, excluded: 'pays elsewhere', stage: 'source' as const }, second, third],
      [{ ...first, source: 'intl', key: `intl/${first.subscription}` as const }, second, third],
    ]
    for (const [at, subscribers] of wrong.entries()) {
      const context = kajabi.with(kajabi.school.rig.with({ ...catalog, subscribers, digest: `wrong ${at}` }))
      expect((await makePlan(context)).summary).toMatchObject({ grant: 0, revoke: 0 })
      const codes = (await verify(context)).violations.map(({ code }) => code)
      expect(codes.filter((code) => code.startsWith('access_'))).toEqual([])
    }
  },
)

test('a second subscription that came after the grant is recorded by the next apply', async () => {
  await using kajabi = await site()
  const { school } = kajabi
  const grants = kajabi.store.inbox
  await planAndApply(kajabi.with(school.stage('source')))
  const [noted] = await grants.grants()
  if (noted === undefined) throw new Error('nothing granted')
  await grants.putGrants([{ ...noted, subscribers: ['us/sub_earlier'] }])
  await planAndApply(kajabi.with(school.stage('target')))
  expect(await grants.grants({ contact: noted.contact })).toEqual([noted])
})

test('no plan, journal or state row names a person', async () => {
  await using kajabi = await site()
  const context = kajabi.with(kajabi.school.stage('target'))
  const { plan, result } = await planAndApply(context)
  const rows = [await context.store.journal(), await context.store.subscribers(), await kajabi.store.inbox.grants()]
  expect(JSON.stringify([plan, result, rows])).not.toMatch(/@|school\.test/)
})

test('a plan is refused, not shortened, when Kajabi does not answer', async () => {
  await using kajabi = await site()
  const context = kajabi.with(kajabi.school.stage('target'))
  const port = context.access
  if (port === undefined) throw new Error('no access')
  const failure = { kind: 'retryable', code: 'not_an_answer', message: 'HTML', status: 503 } as const
  const silent = { ...port.kajabi, holders: async () => ({ ok: false, failure }) as const }
  await expect(makePlan({ ...context, access: { ...port, kajabi: silent } })).rejects.toMatchObject({
    code: 'access_unreadable',
  })
})

test('removing YAML revokes nothing: a member who pays and is in no file keeps the offer', async () => {
  await using kajabi = await site()
  await planAndApply(kajabi.with(kajabi.school.stage('target')))
  const context = kajabi.with(kajabi.school.stage('target'))
  const [first = '', ...others] = context.catalog.subscribers.map(({ key }) => key)
  const erased = { ...context.catalog, subscribers: context.catalog.subscribers.slice(1), digest: others.join() }
  const without = { ...context, catalog: erased }
  const { plan } = await planAndApply(without)
  expect(plan.changes).toEqual([])
  expect((await verify(without)).violations.map(({ code, subscriber }) => `${code} ${subscriber}`)).toEqual([
    `undeclared_subscription ${first}`,
  ])
  expect(await kajabi.holders()).toHaveLength(2)
  // A store that is rebuilt meanwhile contains their grant as well.
  await kajabi.store.inbox.removeGrants(await kajabi.store.inbox.grants())
  await stateRebuild(without)
  expect((await kajabi.store.inbox.grants()).map(({ subscribers }) => subscribers)).toContainEqual([first])
})

test('a price that lost its offer in access.yaml revokes nothing from payers without an allowance', async () => {
  await using kajabi = await site()
  await planAndApply(kajabi.with(kajabi.school.stage('target')))
  const full = kajabi.with(kajabi.school.stage('target'))
  const offers: Access = { offers: { membership: { kajabi: kajabi.offer, prices: ['yearly'] } } }
  const { access } = full
  if (access === undefined) throw new Error('the school has a Kajabi site')
  const edited: Context = { ...full, access: { ...access, offers } }
  const plan = await makePlan(edited)
  const [revoke] = plan.changes
  expect(plan.changes).toHaveLength(1)
  expect(revoke).toMatchObject({
    action: 'revoke',
    because: ['the catalog no longer gives membership for price monthly; still pays'],
  })
  expect(plan.guards.find(({ id }) => id === 'access_revoked_from_payers')).toMatchObject({
    actual: 1,
    limit: 0,
    tripped: true,
    stops: [revoke?.address],
  })
  const extra = (await verify(edited)).violations.find(({ code }) => code === 'access_extra')
  expect(extra?.detail).toContain('still pays')
  await expect(apply(edited, plan)).rejects.toMatchObject({ code: 'guard_tripped' })
  expect(await kajabi.holders()).toHaveLength(2)
  await apply(edited, plan, { allow: ['access_revoked_from_payers'] })
  expect(await kajabi.holders()).toHaveLength(1)
})

test('a member in no file who pays by a price without a mapping keeps the offer as well', async () => {
  await using kajabi = await site()
  const context = kajabi.with(kajabi.school.stage('source'))
  await planAndApply(context)
  const { us, subscriptions } = kajabi.school
  const [item] = (await us.subscriptions.retrieve(subscriptions[0] ?? '')).items.data
  const product = item?.price.product as string
  const price = await us.prices.create({
    product,
    currency: 'usd',
    unit_amount: 7_900,
    recurring: { interval: 'month' },
  })
  const items = [{ id: item?.id ?? '', price: price.id }]
  await us.subscriptions.update(subscriptions[0] ?? '', { items, proration_behavior: 'none' })
  const erased = { ...context.catalog, subscribers: context.catalog.subscribers.slice(1), digest: 'without the first' }
  const { plan } = await planAndApply({ ...context, catalog: erased })
  expect(plan.changes).toEqual([])
  expect(await kajabi.holders()).toHaveLength(2)
})

test('killed after the grant and before the customer is noted on the contact: the next apply notes it, and a rebuilt store has it', async () => {
  await using kajabi = await site()
  await planAndApply(kajabi.school.stage('source'))
  const context = kajabi.with(kajabi.school.stage('source'))
  // Each of the two creates a contact, grants the offer and notes the customer on the contact: the
  // sixth request is the second note.
  expect(await dieAt(context, { request: 5, side: 'before' }, planAndApply)).toBe(true)
  const { plan } = await planAndApply(context)
  expect(plan.changes).toEqual([])
  const before = await kajabi.store.inbox.grants()
  await kajabi.store.inbox.removeGrants(before)
  await stateRebuild(context)
  const named = (grants: typeof before): readonly string[] => grants.map(({ contact }) => contact).toSorted()
  expect(named(await kajabi.store.inbox.grants())).toEqual(named(before))
})

test('promise 12: a price that moves to another offer in access.yaml takes nothing from payers without an allowance', async () => {
  await using kajabi = await site()
  await planAndApply(kajabi.with(kajabi.school.stage('target')))
  const { offer: other } = (await kajabi.order({ act: 'make_offer', title: 'Other' })) as { offer: string }
  const full = kajabi.with(kajabi.school.stage('target'))
  const { access } = full
  if (access === undefined) throw new Error('the school has a Kajabi site')
  const offers: Access = {
    offers: {
      membership: { kajabi: kajabi.offer, prices: ['yearly'] },
      other: { kajabi: other, prices: ['monthly'] },
    },
  }
  const edited: Context = { ...full, access: { ...access, offers } }
  const plan = await makePlan(edited)
  expect(plan.summary).toMatchObject({ grant: 1, revoke: 1 })
  expect(plan.guards.find(({ id }) => id === 'access_revoked_from_payers')).toMatchObject({ actual: 1, tripped: true })
  const result = await apply(edited, plan)
  expect(result.changes.map(({ action, outcome }) => `${action} ${outcome}`).toSorted()).toEqual([
    'grant done',
    'revoke skipped',
  ])
  expect(await kajabi.holders()).toHaveLength(2)
  // With the store lost, nobody knows that the offer was a grant: it stays.
  await kajabi.store.inbox.removeGrants(await kajabi.store.inbox.grants())
  await stateRebuild(edited)
  expect((await makePlan(edited)).summary).toMatchObject({ revoke: 0 })
})

test('a member whose address changes in Stripe keeps the offer on their contact, and loses it there when they leave', async () => {
  await using kajabi = await site()
  const context = (): Context => kajabi.with(kajabi.school.stage('target'))
  await planAndApply(context())
  const before = await kajabi.holders()
  const { target, us } = kajabi.school
  for (const one of (await target.subscriptions.list()).data)
    for (const stripe of [target, us])
      await stripe.customers.update(one.customer as string, { email: `changed-${one.customer as string}@example.com` })
  expect((await makePlan(context())).changes).toEqual([])
  expect(await verify(context())).toMatchObject({ ok: true })
  for (const one of (await target.subscriptions.list()).data) await target.subscriptions.cancel(one.id)
  await planAndApply(context())
  expect(before).toHaveLength(2)
  expect(await kajabi.holders()).toEqual([])
})
