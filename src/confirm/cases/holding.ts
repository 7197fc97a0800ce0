import { type Case, at, billed, create, day, refusal, signUp, statuses } from '../case.ts'

const pausing = 'https://docs.stripe.com/billing/subscriptions/pause-payment'

/** Holding and ending the old subscription. */
export const holdingCases: readonly Case[] = [
  {
    name: 'pausing collection keeps the status and can be reverted',
    source: pausing,
    grade: 'documented',
    expected: ['active', 'keep_as_draft', null],
    async run(ground) {
      const { stripe } = ground
      const { id } = await quiet(ground)
      const held = await stripe.subscriptions.update(id, { pause_collection: { behavior: 'keep_as_draft' } })
      const free = await stripe.subscriptions.update(id, { pause_collection: null })
      return [held.status, held.pause_collection?.behavior, free.pause_collection]
    },
  },
  {
    name: 'pause_collection is not a parameter of creation',
    source: 'the SDK’s SubscriptionCreateParams does not have it',
    grade: 'documented',
    expected: 'refused 400',
    async run(ground) {
      const more = { pause_collection: { behavior: 'void' } }
      const items = [{ price: ground.monthly }]
      return refusal(create(ground, { customer: await ground.customer(), items, ...more }))
    },
  },
  {
    name: 'with keep_as_draft a held renewal stays an uncollected draft, even after the hold; with void it is void',
    source: pausing,
    grade: 'documented',
    expected: { held: ['paid', 'draft', 'paid'], voided: ['paid', 'void', 'paid'], running: ['active', 'active'] },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const customer = await time.customer()
        const items = [{ price: ground.monthly }]
        const held = await signUp(ground, { customer, items })
        const voided = await signUp(ground, { customer, items })
        await stripe.subscriptions.update(held.id, { pause_collection: { behavior: 'keep_as_draft' } })
        await stripe.subscriptions.update(voided.id, { pause_collection: { behavior: 'void' } })
        await time.to('2027-02-10T16:00:00Z')
        const running: string[] = []
        for (const { id } of [held, voided])
          running.push((await stripe.subscriptions.update(id, { pause_collection: null })).status)
        await time.to('2027-03-10T16:00:00Z')
        return { held: await statuses(ground, held.id), voided: await statuses(ground, voided.id), running }
      }),
  },
  {
    name: 'a voided renewal takes nothing from the customer’s balance',
    source: pausing,
    grade: 'documented',
    expected: -700,
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const customer = await time.customer()
        const { id } = await signUp(ground, { customer, items: [{ price: ground.monthly }] })
        await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
        await stripe.customers.createBalanceTransaction(customer, { amount: -700, currency: 'usd' })
        await time.to('2027-02-10T16:00:00Z')
        const after = await stripe.customers.retrieve(customer)
        return after.deleted === true ? 'deleted' : after.balance
      }),
  },
  {
    name: 'a second cancel answers 404, but the subscription can still be read with the comment of the first cancel',
    source: 'https://github.com/stripe/stripe-go/issues/1887; https://docs.stripe.com/api/subscriptions/cancel',
    grade: 'measured',
    expected: ['refused 404', 'canceled', 'a marker'],
    async run(ground) {
      const { stripe } = ground
      const { id } = await quiet(ground)
      const cancellation_details = { comment: 'a marker' }
      await stripe.subscriptions.cancel(id, { invoice_now: false, prorate: false, cancellation_details })
      const again = await refusal(stripe.subscriptions.cancel(id))
      const ended = await stripe.subscriptions.retrieve(id)
      return [again, ended.status, ended.cancellation_details?.comment]
    },
  },
  {
    name: 'after a cancel, only metadata and cancellation_details can be changed',
    source: 'the SDK’s Subscriptions.cancel',
    grade: 'documented',
    expected: ['accepted', 'refused 400 invalid_canceled_subscription_fields'],
    async run(ground) {
      const { stripe } = ground
      const { id } = await quiet(ground)
      await stripe.subscriptions.cancel(id)
      const marked = { metadata: { a: 'b' }, cancellation_details: { comment: 'later' } }
      return [
        await refusal(stripe.subscriptions.update(id, marked)),
        await refusal(stripe.subscriptions.update(id, { description: 'later' }), { code: true }),
      ]
    },
  },
  {
    name: 'an immediate cancel with invoice_now and prorate false creates no credit and no invoice',
    source: 'the SDK’s SubscriptionCancelParams',
    grade: 'documented',
    expected: { invoices: 1, items: 0, balance: 0 },
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      const { id } = await signUp(ground, { customer, items: [{ price: ground.monthly }] })
      await stripe.subscriptions.cancel(id, { invoice_now: false, prorate: false })
      const items = await stripe.invoiceItems.list({ customer })
      const after = await stripe.customers.retrieve(customer)
      const balance = after.deleted === true ? null : after.balance
      return { invoices: (await billed(ground, id)).length, items: items.data.length, balance }
    },
  },
  {
    name: 'an immediate cancel without invoice_now and prorate deletes pending prorations',
    source: 'the SDK’s Subscriptions.cancel; an earlier documentation said the opposite',
    grade: 'assumed',
    row: 10,
    otherwise: { stay: 'kept' },
    expected: 'deleted',
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      const one = await signUp(ground, { customer, items: [{ price: ground.monthly }] })
      const change = [{ id: one.items.data[0]?.id ?? '', quantity: 3 }]
      await stripe.subscriptions.update(one.id, { items: change, proration_behavior: 'create_prorations' })
      await stripe.subscriptions.cancel(one.id, { invoice_now: false, prorate: false })
      const pending = await stripe.invoiceItems.list({ customer, pending: true })
      return pending.data.length === 0 ? 'deleted' : 'kept'
    },
  },
  {
    name: 'cancelling one subscription stops the collection of the customer’s other finalized invoices',
    source: 'the SDK’s Subscriptions.cancel against https://docs.stripe.com/billing/subscriptions/cancel',
    grade: 'assumed',
    row: 27,
    otherwise: { subscription: { before: true, after: true, status: 'open' } },
    expected: { before: true, after: false, status: 'open' },
    async run(ground) {
      const { stripe } = ground
      const failing = 'pm_card_chargeCustomerFail'
      const customer = await ground.customer({
        payment_method: failing,
        invoice_settings: { default_payment_method: failing },
      })
      const one = await create(ground, {
        customer,
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
      })
      const { id } = await stripe.invoices.create({ customer, auto_advance: true, currency: 'usd' })
      await stripe.invoiceItems.create({ customer, invoice: id, amount: 900, currency: 'usd' })
      const open = await stripe.invoices.finalizeInvoice(id, { auto_advance: true })
      await stripe.subscriptions.cancel(one.id, { invoice_now: false, prorate: false })
      const after = await stripe.invoices.retrieve(id)
      return { before: open.auto_advance, after: after.auto_advance, status: after.status }
    },
  },
  {
    name: 'cancel_at and cancel_at_period_end cannot be combined',
    source: 'TryGhost/migrate',
    grade: 'measured',
    expected: 'refused 400',
    run: async (ground) =>
      refusal(
        create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.monthly }],
          cancel_at: ground.now + 5 * day,
          cancel_at_period_end: true,
        }),
      ),
  },
  {
    name: 'cancel_at in a later period ends that period early and charges it in part',
    source: 'the SDK’s SubscriptionCreateParams.cancel_at',
    grade: 'documented',
    expected: ['2027-01-10 4900', '2027-02-10 part', 'canceled'],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const items = [{ price: ground.monthly }]
        const cancel_at = at('2027-02-20T12:00:00Z')
        const { id } = await signUp(ground, { customer: await time.customer(), items, cancel_at })
        await time.to('2027-02-21T00:00:00Z')
        const bills = await billed(ground, id)
        const { status } = await ground.stripe.subscriptions.retrieve(id)
        const parts = bills.map(
          ([when, total]) => `${when.slice(0, 10)} ${total > 0 && total < 4_900 ? 'part' : total}`,
        )
        return [...parts, status]
      }),
  },
  {
    name: 'a draft of a subscription cannot be deleted',
    source: 'https://docs.stripe.com/api/invoices/delete',
    grade: 'documented',
    expected: ['draft', 'refused 400'],
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer({ email: 'conformance@example.com' })
      const { latest_invoice: latest } = await stripe.subscriptions.create({
        customer,
        items: [{ price: ground.monthly }],
        collection_method: 'send_invoice',
        days_until_due: 7,
        expand: ['latest_invoice'],
      })
      if (latest === null || typeof latest === 'string') return latest
      return [latest.status, await refusal(stripe.invoices.del(latest.id ?? ''))]
    },
  },
  {
    name: 'a subscription with a schedule cannot be cancelled until the schedule is released, which leaves it active',
    source: 'https://github.com/laravel/cashier-stripe/issues/1748',
    grade: 'measured',
    expected: ['refused 400', 'released', 'active', 'accepted'],
    async run(ground) {
      const { stripe } = ground
      const { id } = await quiet(ground)
      const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
      const managed = await refusal(stripe.subscriptions.update(id, { cancel_at_period_end: true }))
      const released = await stripe.subscriptionSchedules.release(schedule.id)
      const { status } = await stripe.subscriptions.retrieve(id)
      const after = await refusal(stripe.subscriptions.update(id, { cancel_at_period_end: true }))
      return [managed, released.status, status, after]
    },
  },
  {
    name: 'from_subscription accepts no other parameter: phases need a second request',
    source: 'the SDK’s SubscriptionScheduleCreateParams.from_subscription',
    grade: 'documented',
    expected: 'refused 400',
    async run(ground) {
      const { id: from_subscription } = await quiet(ground)
      return refusal(ground.stripe.subscriptionSchedules.create({ from_subscription, end_behavior: 'cancel' }))
    },
  },
  {
    name: 'a schedule can start a monthly subscription more than a month ahead',
    source: 'https://docs.stripe.com/billing/subscriptions/import-subscriptions',
    grade: 'documented',
    expected: ['not_started', null],
    async run(ground) {
      const schedule = await ground.stripe.subscriptionSchedules.create({
        customer: await ground.customer(),
        start_date: ground.now + 45 * day,
        phases: [{ items: [{ price: ground.monthly }], duration: { interval: 'month', interval_count: 1 } }],
      })
      return [schedule.status, schedule.subscription]
    },
  },
]

/** A subscription without any charge. */
async function quiet(ground: Parameters<Case['run']>[0]) {
  return create(ground, {
    customer: await ground.customer(),
    items: [{ price: ground.monthly }],
    billing_cycle_anchor: ground.now + 10 * day,
  })
}
