import { type Case, at, billed, create, day, iso, refusal, signUp } from '../case.ts'

const billingCycle = 'https://docs.stripe.com/billing/subscriptions/billing-cycle'
const backdating = 'https://docs.stripe.com/billing/subscriptions/backdating'
const ghost = 'TryGhost/migrate, packages/mg-stripe, e2e tests on Stripe with test clocks'

/** When charges fall: the basis of the choice between anchor, anchor config and waiting. */
export const anchorCases: readonly Case[] = [
  {
    name: 'with a future anchor and no proration, the time before it is free: active, no invoice, the period ends at the anchor',
    source: billingCycle,
    grade: 'documented',
    expected: { status: 'active', invoices: 0, end: true },
    async run(ground) {
      const { stripe, now, monthly: price } = ground
      const anchor = now + 10 * day
      const one = await create(ground, {
        customer: await ground.customer(),
        items: [{ price }],
        billing_cycle_anchor: anchor,
      })
      const invoices = await stripe.invoices.list({ subscription: one.id })
      return {
        status: one.status,
        invoices: invoices.data.length,
        end: one.items.data[0]?.current_period_end === anchor,
      }
    },
  },
  {
    name: 'without `none`, the time until the anchor is charged at once (a double charge in a migration)',
    source: billingCycle,
    grade: 'documented',
    expected: 'charged',
    async run(ground) {
      const { stripe, now, monthly: price } = ground
      const one = await stripe.subscriptions.create({
        customer: await ground.customer(),
        items: [{ price }],
        billing_cycle_anchor: now + 10 * day,
      })
      const [[, total] = ['', 0]] = await billed(ground, one.id)
      return total > 0 && total < 4_900 ? 'charged' : total
    },
  },
  {
    name: 'always_invoice is refused on creation',
    source: 'https://docs.stripe.com/api/subscriptions/create',
    grade: 'documented',
    expected: 'refused 400',
    run: async (ground) =>
      refusal(
        create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: ground.now + 10 * day,
          proration_behavior: 'always_invoice',
        }),
      ),
  },
  {
    name: 'an anchor at most one natural period ahead is accepted, a later one is refused',
    source: billingCycle,
    grade: 'documented',
    expected: ['accepted', 'refused 400'],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const customer = await time.customer()
        const until = (billing_cycle_anchor: number): Promise<string> =>
          refusal(create(ground, { customer, items: [{ price: ground.monthly }], billing_cycle_anchor }))
        return [await until(at('2027-02-10T12:00:00Z')), await until(at('2027-02-11T12:00:00Z'))]
      }),
  },
  {
    name: 'an anchor on the 31st bills on the last day of short months and returns to the 31st',
    source: billingCycle,
    grade: 'documented',
    expected: ['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30'],
    run: (ground) =>
      ground.timed('2027-01-31T10:00:00Z', async (time) => {
        const { id } = await signUp(ground, { customer: await time.customer(), items: [{ price: ground.monthly }] })
        await time.to('2027-05-05T00:00:00Z')
        return (await billed(ground, id)).map(([when]) => when.slice(0, 10))
      }),
  },
  {
    name: 'a yearly anchor on 29 February bills on the 28th',
    source: billingCycle,
    grade: 'documented',
    expected: ['2028-02-29', '2029-02-28'],
    run: (ground) =>
      ground.timed('2028-02-29T10:00:00Z', async (time) => {
        const { id } = await signUp(ground, { customer: await time.customer(), items: [{ price: ground.yearly }] })
        await time.to('2029-03-02T00:00:00Z')
        return (await billed(ground, id)).map(([when]) => when.slice(0, 10))
      }),
  },
  {
    name: '30 April as the anchor of a subscription billed on the 31st moves it to the 30th permanently',
    source: billingCycle,
    grade: 'documented',
    expected: ['2027-04-30T10:00:00Z', '2027-05-30T10:00:00Z'],
    run: (ground) =>
      ground.timed('2027-04-05T10:00:00Z', async (time) => {
        const anchor = at('2027-04-30T10:00:00Z')
        const { id } = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: anchor,
        })
        await time.to('2027-06-02T00:00:00Z')
        return (await billed(ground, id)).map(([when]) => when)
      }),
  },
  {
    name: 'after 28 February, 31 March is too far ahead for an anchor, but an anchor config reaches it',
    source: billingCycle,
    grade: 'documented',
    expected: ['refused 400', '2027-03-31T10:00:00Z'],
    run: (ground) =>
      ground.timed('2027-02-28T10:30:00Z', async (time) => {
        const customer = await time.customer()
        const items = [{ price: ground.monthly }]
        const anchor = at('2027-03-31T10:00:00Z')
        const far = await refusal(create(ground, { customer, items, billing_cycle_anchor: anchor }))
        const config = { day_of_month: 31, hour: 10, minute: 0, second: 0 }
        const one = await create(ground, { customer, items, billing_cycle_anchor_config: config })
        return [far, iso(one.items.data[0]?.current_period_end)]
      }),
  },
  {
    name: 'an anchor config clamps short months, and its first full invoice falls within one period',
    source: billingCycle,
    grade: 'documented',
    expected: ['2027-02-28T10:00:00Z', '2027-03-31T10:00:00Z'],
    run: (ground) =>
      ground.timed('2027-02-10T12:00:00Z', async (time) => {
        const { id } = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor_config: { day_of_month: 31, hour: 10, minute: 0, second: 0 },
        })
        await time.to('2027-04-02T00:00:00Z')
        return (await billed(ground, id)).map(([when]) => when)
      }),
  },
  {
    name: 'the anchor of an anchor config is the first date whose month has the day, even if a short month is billed before it',
    source: billingCycle,
    grade: 'documented',
    expected: '2027-03-31T10:00:00Z',
    run: (ground) =>
      ground.timed('2027-02-10T12:00:00Z', async (time) => {
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor_config: { day_of_month: 31, hour: 10, minute: 0, second: 0 },
        })
        return iso(one.billing_cycle_anchor)
      }),
  },
  {
    name: 'the month of an anchor config is counted from this year for a price of two years',
    source: 'not stated',
    grade: 'assumed',
    row: 17,
    otherwise: { next_occurrence: '2028-03-15T10:00:00Z' },
    expected: '2029-03-15T10:00:00Z',
    run: (ground) =>
      ground.timed('2027-06-01T12:00:00Z', async (time) => {
        const price = await ground.price({ recurring: { interval: 'year', interval_count: 2 } })
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price }],
          billing_cycle_anchor_config: { month: 3, day_of_month: 15, hour: 10, minute: 0, second: 0 },
        })
        return iso(one.items.data[0]?.current_period_end)
      }),
  },
  {
    name: 'the month of an anchor config is counted from this year for a price of five months',
    source: 'not stated',
    grade: 'assumed',
    row: 24,
    otherwise: { next_occurrence: '2027-10-15T10:00:00Z' },
    expected: '2027-08-15T10:00:00Z',
    run: (ground) =>
      ground.timed('2027-06-01T12:00:00Z', async (time) => {
        const price = await ground.price({ recurring: { interval: 'month', interval_count: 5 } })
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price }],
          billing_cycle_anchor_config: { month: 3, day_of_month: 15, hour: 10, minute: 0, second: 0 },
        })
        return iso(one.items.data[0]?.current_period_end)
      }),
  },
  {
    name: 'an anchor config is refused together with an anchor, a backdated start or a weekly price',
    source: billingCycle,
    grade: 'documented',
    expected: ['refused 400', 'refused 400', 'refused 400'],
    async run(ground) {
      const { now, monthly, weekly } = ground
      const customer = await ground.customer()
      const billing_cycle_anchor_config = { day_of_month: 31, hour: 1, minute: 2, second: 3 }
      const tried = [
        { items: [{ price: monthly }], billing_cycle_anchor: now + day },
        { items: [{ price: monthly }], backdate_start_date: now - 40 * day },
        { items: [{ price: weekly }] },
      ]
      const answers: string[] = []
      for (const one of tried)
        answers.push(await refusal(create(ground, { customer, billing_cycle_anchor_config, ...one })))
      return answers
    },
  },
  {
    name: 'anchor, backdated start and `none`: the start is kept, the past is not charged, one invoice at the anchor',
    source: `${backdating}; ${ghost}`,
    grade: 'measured',
    expected: { started: '2026-12-31T10:00:00Z', before: 0, after: [['2027-01-31T10:00:00Z', 4_900]] },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: at('2027-01-31T10:00:00Z'),
          backdate_start_date: at('2026-12-31T10:00:00Z'),
        })
        const before = (await billed(ground, one.id)).length
        await time.to('2027-02-02T00:00:00Z')
        return { started: iso(one.start_date), before, after: await billed(ground, one.id) }
      }),
  },
  {
    name: 'the same with cancel_at_period_end ends at the anchor without an invoice',
    source: ghost,
    grade: 'measured',
    expected: { status: 'canceled', invoices: 0 },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { id } = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: at('2027-01-31T10:00:00Z'),
          backdate_start_date: at('2026-12-31T10:00:00Z'),
          cancel_at_period_end: true,
        })
        await time.to('2027-02-02T00:00:00Z')
        const { status } = await ground.stripe.subscriptions.retrieve(id)
        return { status, invoices: (await billed(ground, id)).length }
      }),
  },
  {
    name: 'backdating over more than 250 periods is refused in flexible mode',
    source: backdating,
    grade: 'documented',
    expected: 'refused 400',
    run: async (ground) =>
      refusal(
        create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.weekly }],
          backdate_start_date: ground.now - 2_200 * day,
          proration_behavior: 'create_prorations',
        }),
      ),
  },
]
