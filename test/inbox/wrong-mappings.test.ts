import { expect, test } from 'vitest'
import type { DesiredResource, Mappings } from '../../src/catalog/types.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { load } from '../catalog/project.ts'
import { openRig, signalsTo, type Member, type Rig } from './rig.ts'

const products = `products:
  membership: { name: Membership }
  haircare: { name: Haircare }
`
const prices = `prices:
  membership: { product: membership, currency: usd, unit_amount: 4900, recurring: { interval: month } }
  haircare: { product: haircare, currency: usd, unit_amount: 4900, recurring: { interval: month } }
`

interface Billed {
  readonly price: string
  readonly product: string
}

async function billed(rig: Rig, member: Member): Promise<Billed> {
  const { items } = await rig.stripe('us').subscriptions.retrieve(member.old)
  const price = items.data[0]?.price
  return { price: price?.id ?? '', product: typeof price?.product === 'string' ? price.product : '' }
}

/** The rig with a catalog of two products at one amount, and the line of the price as given. */
function mapped(rig: Rig, { price, product }: Billed, to: string, amount = 4900): InboxContext {
  const yaml = prices.replaceAll('4900', String(amount))
  const loaded = load({ 'products.yaml': products, 'prices.yaml': yaml }).catalog
  const resources: readonly DesiredResource[] = loaded?.resources ?? []
  const lines: Mappings = { products: { [product]: 'membership' }, prices: { [price]: to }, tax_rates: {}, coupons: {} }
  return { ...rig.context, resources, mappings: new Map([['us', lines]]) }
}

test('a cancel is not sent where the mapping names another price: it waits for a person until the line is right', async () => {
  const rig = await openRig()
  const { signal, state } = signalsTo(() => rig)
  const ada = await rig.member('ada', 'source')
  const theirs = await billed(rig, ada)
  const asked = await signal({ contact: ada.contact })
  await workInbox(mapped(rig, theirs, 'haircare'), 10)
  expect(await state(asked.id)).toBe(`dead: mapping_differs: ${ada.subscriber}`)
  expect(await rig.status('us', ada.old)).toBe('active')
  const again = await signal({ contact: ada.contact })
  await workInbox(mapped(rig, theirs, 'membership'), 10)
  expect(await state(again.id)).toMatch(/^done/)
  await rig.close()
})

test('a request to leave another offer is not ignored where the mapping of what the member pays is wrong', async () => {
  const rig = await openRig()
  const { signal, state } = signalsTo(() => rig)
  const ada = await rig.member('ada', 'source')
  const asked = await signal({ contact: ada.contact, offer: 'haircare' })
  await workInbox(mapped(rig, await billed(rig, ada), 'haircare'), 10)
  expect(await state(asked.id)).toBe(`dead: mapping_differs: ${ada.subscriber}`)
  await rig.close()
})

test('a cancel that names its subscription is sent, and an amount that the catalog changed later stops no cancel', async () => {
  const rig = await openRig()
  const { signal, state } = signalsTo(() => rig)
  const [ada, bo] = [await rig.member('ada', 'source'), await rig.member('bo', 'source')]
  const theirs = await billed(rig, ada)
  const named = await signal({ subscriber: ada.subscriber, source: 'operator' })
  await workInbox(mapped(rig, theirs, 'haircare'), 10)
  expect(await state(named.id)).toMatch(/^done/)
  const asked = await signal({ contact: bo.contact })
  await workInbox(mapped(rig, theirs, 'membership', 5900), 10)
  expect(await state(asked.id)).toMatch(/^done/)
  await rig.close()
})

test('a member whose price has a wrong mapping loses no offer when another subscription ends', async () => {
  const rig = await openRig()
  const { signal } = signalsTo(() => rig)
  const ada = await rig.member('ada', 'source')
  const theirs = await billed(rig, ada)
  await rig.stripe('us').subscriptions.create({ customer: ada.customer, items: [{ price: theirs.price }] })
  await signal({ subscriber: ada.subscriber, source: 'operator' })
  await workInbox(mapped(rig, theirs, 'haircare'), 10)
  expect(await rig.status('us', ada.old)).toBe('canceled')
  const offers = await rig.kajabi.offersOf(ada.contact)
  expect(offers.ok && offers.value).toHaveLength(1)
  await rig.close()
})
