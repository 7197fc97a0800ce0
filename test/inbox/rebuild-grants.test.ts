import { expect, test } from 'vitest'
import { rebuildGrants } from '../../src/engine/access/rebuild-grants.ts'
import { reconcile } from '../../src/engine/inbox/reconcile.ts'
import { refresh } from '../../src/engine/read/refresh.ts'
import { declared, openRig, type Member, type Rig } from './rig.ts'

test('grants are rebuilt from the customer noted on the contact; what was given by hand is not taken for ours', async () => {
  const rig = await openRig()
  const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'settled')]
  await rig.kajabi.setExternalId(ada.contact, ada.customer)
  const before = await rig.store.inbox.grants({ contact: ada.contact })
  await rig.store.inbox.removeGrants(await rig.store.inbox.grants())

  const { accounts, store, progress, interrupt, run, kajabi, inbox } = rig.context
  const catalog = { ...rig.context.catalog, subscribers: [declared(ada), declared(bo)] }
  const access = { kajabi: kajabi ?? rig.kajabi, grants: inbox, offers: rig.access }
  const sink = { write: () => Promise.resolve() }
  const wait = () => Promise.resolve()
  const context = { accounts, store, progress, interrupt, run, catalog, access, sink, tool: 'test', wait }
  const count = await rebuildGrants(context, await refresh(context))

  expect(count).toBe(1)
  const after = await inbox.grants()
  const ids = (grants: typeof after) =>
    grants.map(({ contact, offer, customer, subscribers }) => ({ contact, offer, customer, subscribers }))
  expect(ids(after)).toEqual(ids(before))
  expect(after[0]?.protectedUntil).toBeGreaterThan(rig.now())
  // A request to cancel from before the rebuild still means it.
  expect(after[0]?.grantedAt).toBeLessThanOrEqual(before[0]?.grantedAt ?? 0)
  expect(after[0]?.prices).toEqual(['membership'])
  expect(JSON.stringify(after)).not.toContain('@')
  await rig.close()
})

/** The reconciliation of a service whose project declares these members. */
function declaring(rig: Rig, ...members: readonly Member[]) {
  const catalog = { ...rig.context.catalog, subscribers: members.map(declared) }
  return async () => {
    const done = await reconcile({ ...rig.context, catalog })
    return done.ok ? done.value.taken : done.failure.code
  }
}

async function ownedBy(rig: Rig, { contact }: Member): Promise<readonly string[]> {
  return (await rig.store.inbox.grants({ contact })).map(({ offer }) => offer)
}

async function countOf(rig: Rig, { contact }: Member): Promise<number> {
  const offers = await rig.kajabi.offersOf(contact)
  return offers.ok ? offers.value.length : -1
}

test('an empty store restores the grants of members who pay, so that their access ends with their subscription', async () => {
  const rig = await openRig()
  const [ada, bo, cy] = [
    await rig.member('ada', 'settled'),
    await rig.member('bo', 'settled'),
    await rig.member('cy', 'settled'),
  ]
  // Bo's offer was given by hand. Cy's subscription ended before this store existed.
  for (const one of [ada, cy]) await rig.kajabi.setExternalId(one.contact, one.customer)
  await rig.stripe('target').subscriptions.cancel(cy.successor ?? '')
  await rig.store.inbox.removeGrants(await rig.store.inbox.grants())
  const run = declaring(rig, ada, bo, cy)

  expect(await run()).toBe(0)
  expect([await ownedBy(rig, ada), await ownedBy(rig, bo), await ownedBy(rig, cy)]).toEqual([['membership'], [], []])
  const undecided = () => rig.alerts.filter(({ key }) => key === 'access_undecided')
  expect(undecided()).toMatchObject([
    {
      summary: expect.stringContaining(`access.${cy.subscriber}.membership`),
      fix: 'crossbill state rebuild; crossbill plan',
    },
  ])

  for (const { successor } of [ada, bo]) await rig.stripe('target').subscriptions.cancel(successor ?? '')
  expect(await run()).toBe(1)
  expect([await countOf(rig, ada), await countOf(rig, bo), await countOf(rig, cy)]).toEqual([0, 1, 1])
  expect(undecided()).toHaveLength(1)
  await rig.close()
})

test('what the store knows to be given by hand is not restored as a grant, although its contact carries the mark', async () => {
  const rig = await openRig()
  const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
  for (const one of [ada, bo]) await rig.kajabi.setExternalId(one.contact, one.customer)
  const [first, second] = await rig.store.inbox.grants()
  await rig.store.inbox.removeGrants([first, second].flatMap((one) => one ?? []))
  const ofAda = { contact: ada.contact, customer: ada.customer, subscribers: [ada.subscriber] }
  // Ada's offer was recorded as not Crossbill's; another grant explains the mark of bo.
  await rig.store.inbox.setHoldings([{ ...ofAda, offer: 'membership' }])
  const other = [first, second].find((one) => one?.contact === bo.contact)
  await rig.store.inbox.putGrants(other === undefined ? [] : [{ ...other, offer: 'another' }])
  const run = declaring(rig, ada, bo)

  await run()
  expect([await ownedBy(rig, ada), await ownedBy(rig, bo)]).toEqual([[], ['another']])
  for (const { successor } of [ada, bo]) await rig.stripe('target').subscriptions.cancel(successor ?? '')
  expect(await run()).toBe(0)
  expect([await countOf(rig, ada), await countOf(rig, bo)]).toEqual([1, 1])
  await rig.close()
})

test('a mark that cannot be read restores nothing and records nothing as given by hand', async () => {
  const rig = await openRig()
  const ada = await rig.member('ada', 'settled')
  await rig.kajabi.setExternalId(ada.contact, ada.customer)
  await rig.store.inbox.removeGrants(await rig.store.inbox.grants())
  const catalog = { ...rig.context.catalog, subscribers: [declared(ada)] }
  const failure = { kind: 'retryable', code: 'kajabi_down', message: 'down', status: 503 } as const
  const kajabi = { ...rig.kajabi, noted: async () => ({ ok: false, failure }) as const }
  expect(await reconcile({ ...rig.context, kajabi, catalog })).toMatchObject({ ok: false })
  expect([await rig.store.inbox.grants(), await rig.store.inbox.holdings()]).toEqual([[], []])
  await declaring(rig, ada)()
  expect(await ownedBy(rig, ada)).toEqual(['membership'])
  await rig.close()
})
