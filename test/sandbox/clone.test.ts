import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { type Sandbox, cloneSandbox, createSandbox } from '../../src/sandbox/sandbox.ts'

const client = (sandbox: Sandbox) =>
  new Stripe('sk_test_sandbox_us', { httpClient: Stripe.createFetchHttpClient(sandbox.fetch) })

test('a copy has the same objects, next ids, clock and Kajabi site, and is independent afterwards', async () => {
  const sandbox = createSandbox({ seed: 5 })
  const kajabi = (order: object, world = sandbox) =>
    world.fetch('http://x/_sandbox/kajabi', { method: 'POST', body: JSON.stringify(order) })
  const first = await client(sandbox).products.create({ name: 'A' })
  await kajabi({ act: 'make_contact', email: 'a@example.com' })
  await sandbox.world.advance(instant(sandbox.clock() + 1_000))
  const copy = cloneSandbox(sandbox)
  expect(copy.clock()).toBe(sandbox.clock())
  expect((await client(copy).products.list()).data.map((row) => row.id)).toEqual([first.id])
  const [here, there] = [
    await client(sandbox).products.create({ name: 'B' }),
    await client(copy).products.create({ name: 'C' }),
  ]
  expect(there.id).toBe(here.id)
  await client(copy).products.update(first.id, { name: 'A of the copy' })
  expect((await client(sandbox).products.retrieve(first.id)).name).toBe('A')
  await kajabi({ act: 'make_tag', name: 'x' }, copy)
  const tags = async (world: Sandbox) =>
    (await (await world.fetch('http://x/_sandbox/kajabi')).json()) as { contacts: number; tags: unknown[] }
  expect(await tags(copy)).toMatchObject({ contacts: 1, tags: [{ name: 'x' }] })
  expect(await tags(sandbox)).toMatchObject({ contacts: 1, tags: [] })
  await copy.world.advance(instant(copy.clock() + 500))
  expect(copy.clock() - sandbox.clock()).toBe(500)
})

test('due work continues in both', async () => {
  const sandbox = createSandbox()
  const order = (body: object) =>
    sandbox.fetch('http://x/_sandbox/kajabi', { method: 'POST', body: JSON.stringify(body) })
  await order({ act: 'make_offer', title: 'Course', access_days: 3 })
  await order({ act: 'make_contact', email: 'a@example.com' })
  await order({ act: 'grant', contact: 'a@example.com', offer: 'Course' })
  const copy = cloneSandbox(sandbox)
  const grants = (world: Sandbox) => world.world.space('kajabi').table({ name: 'grants' }).size
  await copy.world.advance(instant(copy.clock() + 4 * 86_400))
  expect([grants(copy), grants(sandbox)]).toEqual([0, 1])
  await sandbox.world.advance(instant(sandbox.clock() + 4 * 86_400))
  expect(grants(sandbox)).toBe(0)
})
