import type Stripe from 'stripe'
import { type Case, type Ground, at, billed, create, day, iso, refusal, signUp } from '../case.ts'

const coupons = 'https://docs.stripe.com/billing/subscriptions/coupons'
const toolkit = 'https://docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit'

/** Discounts and their durations: the basis for counting the renewals that are still discounted. */
export const discountCases: readonly Case[] = [
  {
    name: 'repeating counts calendar months: three months of a monthly price are three invoices',
    source: coupons,
    grade: 'documented',
    expected: [4_410, 4_410, 4_410, 4_900],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const coupon = await ground.coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 3 })
        const { id } = await signUp(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          discounts: [{ coupon }],
        })
        await time.to('2027-04-11T00:00:00Z')
        return (await billed(ground, id)).map(([, total]) => total)
      }),
  },
  {
    name: 'a yearly price that renews within the duration is discounted for its whole year',
    source: coupons,
    grade: 'documented',
    expected: 44_100,
    async run(ground) {
      const coupon = await ground.coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 3 })
      const { id } = await signUp(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.yearly }],
        discounts: [{ coupon }],
      })
      return (await billed(ground, id))[0]?.[1]
    },
  },
  {
    name: 'a once coupon is used up by an immediate first invoice, and is kept without one',
    source: `https://github.com/stripe/stripe-go/issues/944; ${coupons}`,
    grade: 'measured',
    expected: [
      [4_410, 4_900],
      [4_410, 4_900],
    ],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const customer = await time.customer()
        const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
        const about = { customer, items: [{ price: ground.monthly }], discounts: [{ coupon }] }
        const atOnce = await signUp(ground, about)
        const later = await create(ground, { ...about, billing_cycle_anchor: at('2027-01-20T12:00:00Z') })
        await time.to('2027-02-21T00:00:00Z')
        const totals = async (id: string): Promise<number[]> => (await billed(ground, id)).map(([, total]) => total)
        return [await totals(atOnce.id), await totals(later.id)]
      }),
  },
  ...(['flexible', 'classic'] as const).map((type): Case => ({
    name: `the duration of a discount begins at the backdated start, in ${type} mode`,
    source:
      'https://docs.stripe.com/billing/subscriptions/backdating; TryGhost/migrate, packages/mg-stripe, e2e tests on Stripe',
    grade: 'measured',
    expected: 'the backdated start',
    async run(ground) {
      const coupon = await ground.coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 3 })
      const start = ground.now - 62 * day
      const one = await create(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
        backdate_start_date: start,
        discounts: [{ coupon }],
        billing_mode: { type },
        expand: ['discounts'],
      })
      return clockOf(one, start)
    },
  })),
  {
    name: 'an update before a future anchor removes the discounts',
    source: `${toolkit} says so about its own tool`,
    grade: 'assumed',
    row: 5,
    otherwise: { false: 1 },
    expected: 0,
    async run(ground) {
      const one = await discounted(ground)
      const updated = await ground.stripe.subscriptions.update(one.id, { metadata: { touched: 'yes' } })
      return updated.discounts.length
    },
  },
  {
    name: 'a discount that is sent again by its id keeps its dates',
    source: 'the SDK’s SubscriptionUpdateParams.discounts',
    grade: 'documented',
    expected: true,
    async run(ground) {
      const one = await discounted(ground)
      const [before] = one.discounts as Stripe.Discount[]
      const updated = await ground.stripe.subscriptions.update(one.id, {
        metadata: { touched: 'yes' },
        discounts: [{ discount: before?.id ?? '' }],
        expand: ['discounts'],
      })
      const [after] = updated.discounts as Stripe.Discount[]
      return after?.id === before?.id && after?.end === before?.end && after?.end !== null
    },
  },
  {
    name: 'an empty list of discounts on creation is accepted',
    source: 'the SDK’s Emptyable type',
    grade: 'documented',
    expected: 0,
    run: async (ground) =>
      (
        await create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: ground.now + 10 * day,
          discounts: '',
        })
      ).discounts.length,
  },
  {
    name: 'a used-up coupon is refused: carried discounts need coupons without a limit',
    source: 'https://docs.stripe.com/error-codes#coupon-expired',
    grade: 'documented',
    expected: ['accepted', 'refused 400 coupon_expired'],
    async run(ground) {
      const coupon = await ground.coupon({ percent_off: 10, duration: 'forever', max_redemptions: 1 })
      const customer = await ground.customer()
      const about = { customer, items: [{ price: ground.monthly }], discounts: [{ coupon }] }
      const billing_cycle_anchor = ground.now + 10 * day
      const answers: string[] = []
      for (const _ of [1, 2])
        answers.push(await refusal(create(ground, { ...about, billing_cycle_anchor }), { code: true }))
      return answers
    },
  },
  {
    name: 'discounts of a deleted coupon continue, and its id can be used again',
    source: `${coupons}; TryGhost/migrate deletes and creates`,
    grade: 'measured',
    expected: [4_410, 'accepted'],
    async run(ground) {
      const { stripe } = ground
      const coupon = await ground.coupon({ percent_off: 10, duration: 'forever' })
      const one = await create(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
        discounts: [{ coupon }],
      })
      await stripe.coupons.del(coupon)
      const preview = await stripe.invoices.createPreview({ subscription: one.id })
      return [preview.total, await refusal(stripe.coupons.create({ id: coupon, percent_off: 20, duration: 'once' }))]
    },
  },
]

async function discounted(ground: Ground): Promise<Stripe.Subscription> {
  const coupon = await ground.coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 5 })
  return create(ground, {
    customer: await ground.customer(),
    items: [{ price: ground.monthly }],
    billing_cycle_anchor: ground.now + 10 * day,
    discounts: [{ coupon }],
    expand: ['discounts'],
  })
}

function clockOf(one: Stripe.Subscription, start: number): string {
  const [discount] = one.discounts as Stripe.Discount[]
  return discount?.start === start
    ? 'the backdated start'
    : `starts ${iso(discount?.start)}, ends ${iso(discount?.end)}`
}
