import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, signalsTo, type Member, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const { signal, state } = signalsTo(() => rig)
const workOff = (): Promise<unknown> => workInbox(rig.context, 100)
const offersOf = async (member: Member): Promise<readonly string[]> => {
  const offers = await rig.kajabi.offersOf(member.contact)
  return offers.ok ? offers.value : ['unreadable']
}

describe('people and prices are known by their identity', () => {
  test('a second request of a member whose request is done is not a dead letter, unless the member pays again', async () => {
    const ada = await rig.member('ada', 'settled')
    await signal({ contact: ada.contact })
    await workOff()
    const again = await signal({ contact: ada.contact })
    await workOff()
    expect(await state(again.id)).toBe('ignored: asked_already')
  })

  test('a request that names another customer is no repeat, although its contact asked before', async () => {
    const ada = await rig.member('ada', 'settled')
    await signal({ contact: ada.contact })
    await workOff()
    const other = await signal({ contact: ada.contact, customer: 'cus_other' })
    await workOff()
    expect(await state(other.id)).toMatch(/^dead: nobody/)
  })

  test('a member who pays for the same offer by a second subscription keeps the access, whatever the name of its price', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'source')]
    const { items } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
    const again = items.data.map(({ price }) => ({ price: price.id }))
    await rig.stripe('target').subscriptions.create({ customer: ada.customer, items: again })
    const old = await rig.stripe('us').subscriptions.retrieve(bo.old)
    const oldPrice = old.items.data[0]?.price.id ?? ''
    await rig.stripe('us').subscriptions.create({ customer: bo.customer, items: [{ price: oldPrice }] })
    const mappings = new Map([
      ['us', { products: {}, prices: { [oldPrice]: 'membership' }, tax_rates: {}, coupons: {} }],
    ])
    await signal({ subscriber: ada.subscriber })
    await signal({ subscriber: bo.subscriber })
    await workInbox({ ...rig.context, mappings }, 10)
    expect([await rig.status('target', ada.successor), await rig.status('us', bo.old)]).toEqual([
      'canceled',
      'canceled',
    ])
    expect([await offersOf(ada), await offersOf(bo)]).toMatchObject([{ length: 1 }, { length: 1 }])
  })

  test('a price without a mark is recognised by the id in the store, and a lookup_key that equals a key has no effect', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    const stripe = rig.stripe('target')
    const product = (await stripe.products.list()).data[0]?.id ?? ''
    const recurring = { interval: 'month' } as const
    const shared = { product, currency: 'usd', unit_amount: 900, recurring }
    const adopted = await stripe.prices.create({ ...shared, lookup_key: 'anything' })
    const foreign = await stripe.prices.create({ ...shared, lookup_key: 'membership' })
    await rig.store.putObjects([{ address: 'price.membership', account: 'target', id: adopted.id, applied: null }])
    await stripe.subscriptions.create({ customer: ada.customer, items: [{ price: adopted.id }] })
    await stripe.subscriptions.create({ customer: bo.customer, items: [{ price: foreign.id }] })
    await signal({ subscriber: ada.subscriber })
    await signal({ subscriber: bo.subscriber })
    await workOff()
    expect([await offersOf(ada), await offersOf(bo)]).toMatchObject([{ length: 1 }, { length: 0 }])
  })

  describe('a price whose key was renamed, before an apply has renamed its mark', () => {
    const renamed = () => {
      const access = { ...rig.access, offers: { membership: { ...rig.access.offers['membership'], prices: ['club'] } } }
      const moved = new Map([
        ['price.membership', 'price.members'],
        ['price.members', 'price.club'],
      ])
      return { ...rig.context, access: access as typeof rig.access, moved }
    }

    test('still gives its offer: a payer of a second subscription keeps the access when they cancel the first', async () => {
      const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
      const stripe = rig.stripe('target')
      const { items } = await stripe.subscriptions.retrieve(ada.successor ?? '')
      const again = items.data.map(({ price }) => ({ price: price.id }))
      await stripe.subscriptions.create({ customer: ada.customer, items: again })
      const product = (await stripe.products.list()).data[0]?.id ?? ''
      const recurring = { interval: 'month' } as const
      const adopted = await stripe.prices.create({ product, currency: 'usd', unit_amount: 900, recurring })
      await rig.store.putObjects([{ address: 'price.members', account: 'target', id: adopted.id, applied: null }])
      await stripe.subscriptions.create({ customer: bo.customer, items: [{ price: adopted.id }] })
      await signal({ subscriber: ada.subscriber })
      await signal({ subscriber: bo.subscriber })
      await workInbox(renamed(), 100)
      expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
        'canceled',
        'canceled',
      ])
      expect([await offersOf(ada), await offersOf(bo)]).toMatchObject([{ length: 1 }, { length: 1 }])
    })

    test('is what a tag means that arrives after the store was lost', async () => {
      const ada = await rig.member('ada', 'settled')
      await rig.kajabi.setExternalId(ada.contact, ada.customer)
      await rig.store.inbox.removeGrants(await rig.store.inbox.grants())
      await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
      const request = await signal({ source: 'hook', event: 'tag_added', contact: ada.contact, tag: rig.tag })
      await workInbox(renamed(), 100)
      expect([await state(request.id), await rig.status('target', ada.successor)]).toEqual(['done', 'canceled'])
    })
  })

  describe('an empty list is no proof that nobody charges', () => {
    test('a settled member whose new subscription has lost its mark leaves by the id that the settle names', async () => {
      const ada = await rig.member('ada', 'settled')
      const metadata = { crossbill_from: '' }
      await rig.stripe('target').subscriptions.update(ada.successor ?? '', { metadata })
      const request = await signal({ subscriber: ada.subscriber })
      await workOff()
      expect([await state(request.id), await rig.status('target', ada.successor)]).toEqual(['done', 'canceled'])
    })

    test('a settle that names a subscription which the target does not show is never called cancelled', async () => {
      const bo = await rig.member('bo', 'source')
      const comment = 'crossbill settled, continues as sub_elsewhere'
      await rig.stripe('us').subscriptions.cancel(bo.old, { cancellation_details: { comment } })
      const request = await signal({ subscriber: bo.subscriber })
      await workOff()
      expect(await state(request.id)).toMatch(/^dead: successor_unseen/)
    })

    test('a move that was undone and made again on another copy of the customer is cancelled there', async () => {
      const ada = await rig.member('ada', 'held')
      const target = rig.stripe('target')
      const { items, metadata } = await target.subscriptions.retrieve(ada.successor ?? '')
      await target.subscriptions.cancel(ada.successor ?? '', {
        cancellation_details: { comment: 'crossbill undone: reverted' },
      })
      const { id: customer } = await target.customers.create({
        payment_method: 'pm_card_visa',
        invoice_settings: { default_payment_method: 'pm_card_visa' },
      })
      const { id: again } = await target.subscriptions.create({
        customer,
        metadata,
        items: items.data.map(({ price }) => ({ price: price.id })),
      })
      const row = { source: 'us', customerOld: ada.customer, customerNew: customer, sourceOld: '', sourceNew: '' }
      await rig.store.putCopyMap([{ ...row, importedAt: rig.now() }])
      const request = await signal({ subscriber: ada.subscriber })
      await workOff()
      expect([await state(request.id), await rig.status('us', ada.old), await rig.status('target', again)]).toEqual([
        'done',
        'canceled',
        'canceled',
      ])
    })
  })

  test('a subscription that was created in the target is cancelled by its own id', async () => {
    const ada = await rig.member('ada', 'settled')
    const { items } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
    const again = items.data.map(({ price }) => ({ price: price.id }))
    const { id } = await rig.stripe('target').subscriptions.create({ customer: ada.customer, items: again })
    const request = await signal({ source: 'operator', subscriber: `target/${id}` })
    await workOff()
    expect([await state(request.id), await rig.status('target', id)]).toEqual(['done', 'canceled'])
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('a relay whose ids mean different people cancels nothing', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    const requests = [
      await signal({ subscriber: ada.subscriber, contact: bo.contact }),
      await signal({ subscriber: ada.subscriber, customer: bo.customer }),
      await signal({ contact: ada.contact, customer: bo.customer }),
    ]
    await workOff()
    expect(await Promise.all(requests.map(({ id }) => state(id)))).toEqual(Array(3).fill('dead: contradicting_ids'))
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'active',
      'active',
    ])
  })
})
