import { type Case, at, billed, create, day, iso, refusal } from '../case.ts'

const trials = 'https://docs.stripe.com/billing/subscriptions/trials'
const settings = 'the SDK’s SubscriptionCreateParams.trial_settings'

export const trialCases: readonly Case[] = [
  {
    name: 'a trial has one paid zero invoice and is charged at its end, which becomes the anchor',
    source: trials,
    grade: 'documented',
    expected: { status: 'trialing', first: [0, 'paid'], anchor: true, after: ['2027-01-20T12:00:00Z', 4_900] },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const trial_end = at('2027-01-20T12:00:00Z')
        const items = [{ price: ground.monthly }]
        const one = await create(ground, { customer: await time.customer(), items, trial_end })
        const first = (await ground.stripe.invoices.list({ subscription: one.id })).data.map((invoice) => [
          invoice.total,
          invoice.status,
        ])
        await time.to('2027-01-20T15:00:00Z')
        const after = (await billed(ground, one.id)).at(-1)
        return { status: one.status, first: first[0], anchor: one.billing_cycle_anchor === trial_end, after }
      }),
  },
  {
    name: 'a trial with a backdated start: one zero invoice whose line starts at the original start',
    source: 'TryGhost/migrate, packages/mg-stripe, e2e tests on Stripe with test clocks',
    grade: 'measured',
    expected: { status: 'trialing', invoices: [['2027-01-05T12:00:00Z', 0]] },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          trial_end: at('2027-01-20T12:00:00Z'),
          backdate_start_date: at('2027-01-05T12:00:00Z'),
        })
        return { status: one.status, invoices: await billed(ground, one.id) }
      }),
  },
  {
    name: 'a trial end in the past is refused, and so is trial_end with trial_from_plan',
    source: 'TryGhost/migrate; the SDK’s SubscriptionCreateParams.trial_from_plan',
    grade: 'measured',
    expected: ['refused 400', 'refused 400'],
    async run(ground) {
      const { now, monthly: price } = ground
      const customer = await ground.customer()
      const items = [{ price }]
      return [
        await refusal(create(ground, { customer, items, trial_end: now - day })),
        await refusal(create(ground, { customer, items, trial_end: now + day, trial_from_plan: true })),
      ]
    },
  },
  {
    name: 'an anchor config can be combined with a trial',
    source: `${trials} implies it; Checkout forbids it`,
    grade: 'assumed',
    row: 8,
    otherwise: { false: 'refused 400' },
    expected: 'accepted',
    run: async (ground) =>
      refusal(
        create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.monthly }],
          trial_end: ground.now + 5 * day,
          billing_cycle_anchor_config: { day_of_month: 31, hour: 1, minute: 2, second: 3 },
        }),
      ),
  },
  {
    name: 'a trial whose end leaves the anchor unchanged bills on the last day of short months and returns to the 31st',
    source: settings,
    grade: 'assumed',
    row: 9,
    otherwise: { false: ['2027-02-10', '2027-02-28', '2027-03-28'] },
    expected: ['2027-02-10', '2027-02-28', '2027-03-31'],
    run: (ground) =>
      ground.timed('2027-01-31T10:00:00Z', async (time) => {
        const { id } = await ground.stripe.subscriptions.create({
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          trial_end: at('2027-02-10T10:00:00Z'),
          trial_settings: {
            end_behavior: { billing_cycle_anchor: 'unchanged', missing_payment_method: 'create_invoice' },
          },
        })
        await time.to('2027-04-02T00:00:00Z')
        return (await billed(ground, id)).slice(1).map(([when]) => when.slice(0, 10))
      }),
  },
  {
    name: 'a trial that ends without a payment method is cancelled or paused, as requested',
    source: trials,
    grade: 'documented',
    expected: ['canceled', 'paused'],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const customer = await time.customer({})
        const made: string[] = []
        for (const missing_payment_method of ['cancel', 'pause'] as const) {
          const one = await create(ground, {
            customer,
            items: [{ price: ground.monthly }],
            trial_end: at('2027-01-20T12:00:00Z'),
            trial_settings: { end_behavior: { missing_payment_method } },
          })
          made.push(one.id)
        }
        await time.to('2027-01-20T15:00:00Z')
        return Promise.all(made.map(async (id) => (await ground.stripe.subscriptions.retrieve(id)).status))
      }),
  },
  {
    name: 'a trial keeps a once coupon for the first charge',
    source: 'not stated',
    grade: 'assumed',
    row: 7,
    otherwise: { true: [0, 4_900, 4_900] },
    expected: [0, 4_410, 4_900],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
        const { id } = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          trial_end: at('2027-01-20T12:00:00Z'),
          discounts: [{ coupon }],
        })
        await time.to('2027-02-21T00:00:00Z')
        return (await billed(ground, id)).map(([, total]) => total)
      }),
  },
  {
    name: 'the first renewal of a trial starts exactly at its end',
    source: trials,
    grade: 'documented',
    expected: '2027-01-20T12:34:56Z',
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const one = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          trial_end: at('2027-01-20T12:34:56Z'),
        })
        return iso(one.items.data[0]?.current_period_end)
      }),
  },
]
