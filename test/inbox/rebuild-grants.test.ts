import { expect, test } from 'vitest'
import { rebuildGrants } from '../../src/engine/access/rebuild-grants.ts'
import { refresh } from '../../src/engine/read/refresh.ts'
import { declared, openRig } from './rig.ts'

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
  expect(JSON.stringify(after)).not.toContain('@')
  await rig.close()
})
