import { type Case, create, day, refusal } from '../case.ts'

const idempotency = 'https://docs.stripe.com/api/idempotent_requests'

/** How requests are repeated and refused, and how their objects are found. */
export const requestCases: readonly Case[] = [
  {
    name: 'the same idempotency key returns the same answer and creates nothing; another request with it is refused',
    source: idempotency,
    grade: 'documented',
    expected: { same: true, made: 1, other: 'refused 400' },
    async run(ground) {
      const { stripe } = ground
      const idempotencyKey = `crossbill-${ground.product}-replay`
      const about = { name: 'Crossbill conformance: once', metadata: { run: ground.product } }
      const first = await stripe.products.create(about, { idempotencyKey })
      const again = await stripe.products.create(about, { idempotencyKey })
      const other = await refusal(stripe.products.create({ ...about, name: 'other' }, { idempotencyKey }))
      const recent = await stripe.products.list({ created: { gte: first.created }, limit: 100 })
      // By the run, because other runs in the same test account create the same name.
      const made = recent.data.filter(({ metadata }) => metadata['run'] === ground.product)
      return { same: again.id === first.id, made: made.length, other }
    },
  },
  {
    name: 'a replayed answer has a header that says so',
    source: 'a known convention; not in the documentation',
    grade: 'assumed',
    row: 12,
    otherwise: { false: ['null', 'null'] },
    expected: ['null', 'true'],
    async run({ stripe, product }) {
      const idempotencyKey = `crossbill-${product}-header`
      const headers: string[] = []
      for (const _ of [1, 2]) {
        const made = await stripe.coupons.create({ percent_off: 5, duration: 'once' }, { idempotencyKey })
        const found: unknown = made.lastResponse.headers
        // A plain object with Node's own client, a `Headers` with fetch.
        const all = new Headers(found as Record<string, string>)
        headers.push(String(all.get('idempotent-replayed')))
      }
      return headers
    },
  },
  {
    name: 'a refusal of the parameters is not stored under the idempotency key',
    source: idempotency,
    grade: 'documented',
    expected: ['refused 400', 'accepted'],
    async run({ stripe, product }) {
      const idempotencyKey = `crossbill-${product}-invalid`
      const wrong = { name: 'x', frog: 'y' }
      return [
        await refusal(stripe.products.create(wrong, { idempotencyKey })),
        await refusal(stripe.products.create({ name: 'Crossbill conformance: key' }, { idempotencyKey })),
      ]
    },
  },
  {
    name: 'metadata has at most fifty keys of at most forty characters; an empty text removes a key',
    source: 'https://docs.stripe.com/metadata',
    grade: 'documented',
    expected: ['refused 400', 'refused 400', ['b']],
    async run({ stripe }) {
      const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']))
      const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2' } })
      const { metadata } = await stripe.customers.update(id, { metadata: { a: '' } })
      return [
        await refusal(stripe.customers.create({ metadata: many })),
        await refusal(stripe.customers.create({ metadata: { ['k'.repeat(41)]: 'v' } })),
        Object.keys(metadata),
      ]
    },
  },
  {
    name: 'a list has no cancelled subscriptions unless it asks for all; changes are visible at once',
    source: 'https://docs.stripe.com/api/subscriptions/list',
    grade: 'documented',
    expected: { usual: 1, all: 2 },
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      const about = { customer, items: [{ price: ground.monthly }], billing_cycle_anchor: ground.now + 10 * day }
      await create(ground, about)
      await stripe.subscriptions.cancel((await create(ground, about)).id)
      const usual = await stripe.subscriptions.list({ customer })
      const all = await stripe.subscriptions.list({ customer, status: 'all' })
      return { usual: usual.data.length, all: all.data.length }
    },
  },
  {
    name: 'a list for a customer that the account never had is refused',
    source: 'observed in public projects; not stated',
    grade: 'assumed',
    row: 19,
    otherwise: { false: ['accepted', 'accepted'] },
    expected: ['refused 400', 'refused 400'],
    async run({ stripe }) {
      const customer = 'cus_CrossbillNobody1'
      return [
        await refusal(stripe.subscriptions.list({ customer, status: 'all' })),
        await refusal(stripe.invoices.list({ customer })),
      ]
    },
  },
  {
    name: 'expansion reaches four levels; tiers and currency options are shown when expanded',
    source: 'https://docs.stripe.com/api/expanding_objects',
    grade: 'documented',
    expected: ['refused 400', false, true],
    async run(ground) {
      const { stripe } = ground
      const price = await ground.price({ currency_options: { eur: { unit_amount: 4_500 } } })
      const plain = await stripe.prices.retrieve(price)
      const shown = await stripe.prices.retrieve(price, { expand: ['currency_options'] })
      const deep = stripe.subscriptions.list({ expand: ['data.items.data.price.product'] })
      return [await refusal(deep), plain.currency_options !== undefined, shown.currency_options?.['eur'] !== undefined]
    },
  },
  {
    name: 'a subscription shows ten of its items and reports that there are more',
    source: 'https://docs.stripe.com/api/pagination; not stated for items',
    grade: 'assumed',
    row: 21,
    otherwise: { all: { shown: 12, more: false, all: 12 } },
    expected: { shown: 10, more: true, all: 12 },
    async run(ground) {
      const items: { price: string }[] = []
      for (let n = 0; n < 12; n++) items.push({ price: await ground.price({ unit_amount: 100 + n }) })
      const customer = await ground.customer()
      const one = await create(ground, { customer, items, billing_cycle_anchor: ground.now + 10 * day })
      const { data, has_more: more } = one.items
      const all = await ground.stripe.subscriptionItems.list({ subscription: one.id, limit: 100 })
      return { shown: data.length, more, all: all.data.length }
    },
  },
  {
    name: 'pending items of a customer are found by the customer',
    source: 'https://docs.stripe.com/api/invoiceitems/list',
    grade: 'documented',
    expected: 1,
    async run(ground) {
      const customer = await ground.customer()
      await ground.stripe.invoiceItems.create({ customer, amount: 500, currency: 'usd' })
      return (await ground.stripe.invoiceItems.list({ customer, pending: true })).data.length
    },
  },
]
