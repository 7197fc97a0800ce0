import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { planAndApply } from '../rig.ts'
import { meanwhile, member, prices, story, violationsOf, type Story } from './world.ts'

/** A member whose February is unpaid, because the card now declines. */
async function inDebt(more: Partial<Stripe.SubscriptionCreateParams> = {}, balance = 0): Promise<Story> {
  const world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z', policies: 'policies: { past_due: carry }\n' },
    async ({ us }) => {
      const { monthly } = await prices(us)
      const customer = await member(us, { address: { country: 'DE' } })
      await us.subscriptions.create({ customer, items: [{ price: monthly }], ...more })
      const { id: default_payment_method } = await us.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
      await us.customers.update(customer, { invoice_settings: { default_payment_method }, balance })
    },
  )
  await planAndApply(world.stage('source'))
  return world
}

/** The member pays the open invoice manually, with a working card. */
async function payOpen(client: Stripe): Promise<void> {
  const [open] = (await client.invoices.list({ status: 'open' })).data
  const customer = typeof open?.customer === 'string' ? open.customer : ''
  const { id: payment_method } = await client.paymentMethods.attach('pm_card_visa', { customer })
  await client.invoices.pay(open?.id ?? '', { payment_method })
}

/** Debts of February, in any account. */
async function february(client: Stripe): Promise<readonly string[]> {
  const { data } = await client.invoices.list({ created: { gte: Date.parse('2026-02-01T00:00:00Z') / 1_000 } })
  return data.map(({ status, amount_paid: amount }) => `${status ?? ''} ${amount}`)
}

/** A payment in `account` at the instant at which the invoice was to be voided there. */
function paying(world: Story, stage: 'target' | 'source', account: 'us' | 'target'): ReturnType<Story['stage']> {
  const client = account === 'us' ? world.us : world.target
  const before = async ({ path }: { path: string }): Promise<void> => {
    if (path.endsWith('/void')) await payOpen(client)
  }
  return meanwhile(world.stage(stage), { account, before })
}

test('a debt that is paid between the proof and its move has nothing to carry', async () => {
  await using world = await inDebt()
  const { result } = await planAndApply(paying(world, 'target', 'us'))
  expect(result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['paid 4900'], []])
  expect(await violationsOf(world.stage('target'))).toEqual([])
})

test('a debt that is forgiven between the proof and its move is not created again, and the move continues', async () => {
  await using world = await inDebt()
  const forgiving = async ({ path }: { path: string }): Promise<void> => {
    if (path.endsWith('/void')) await world.us.invoices.voidInvoice(path.split('/')[3] ?? '')
  }
  const { result } = await planAndApply(meanwhile(world.stage('target'), { account: 'us', before: forgiving }))
  expect([result.ok, result.changes]).toMatchObject([true, [{ outcome: 'done' }]])
  expect([await february(world.us), await february(world.target)]).toEqual([['void 0'], []])
  expect(await violationsOf(world.stage('target'))).toEqual([])
})

test('a debt that is paid in the target during the revert is paid', async () => {
  await using world = await inDebt()
  expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['void 0'], ['open 0']])
  const { result } = await planAndApply(paying(world, 'source', 'target'))
  expect(result.ok).toBe(true)
  expect([await february(world.us), await february(world.target)]).toEqual([['void 0'], ['paid 4900']])
  expect(await violationsOf(world.stage('source'))).toEqual([])
})

test('a debt whose tax Stripe computed stays with the account that sold: a new invoice could have another amount', async () => {
  await using world = await inDebt({ automatic_tax: { enabled: true } })
  const { plan } = await planAndApply(world.stage('target'))
  expect(plan.blocked).toMatchObject([
    { code: 'open_invoice', fix: expect.stringContaining('past_due: leave') as unknown },
  ])
  expect([await february(world.us), await february(world.target)]).toEqual([['open 0'], []])
})

test('a debt that a credit paid in part stays where it is: a new invoice would have the full amount', async () => {
  await using world = await inDebt({}, -2_000)
  const { plan } = await planAndApply(world.stage('target'))
  expect([plan.blocked, plan.summary.move]).toMatchObject([[{ code: 'open_invoice' }], 0])
  expect([await february(world.us), await february(world.target)]).toEqual([['open 0'], []])
})

test.each([
  // The uncharged period is billed less the credit that returned.
  ['carry', { blocked: [], billed: 2_900, left: 0 }],
  ['stop', { blocked: ['customer_balance'], billed: 4_900, left: -2_000 }],
] as const)(
  'no subscriber reverts past a credit that would be left behind (customer_balance: %s); its voided invoice returns it first',
  async (policy, { blocked, billed, left }) => {
    const past = { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z' }
    const policies = `policies: { customer_balance: ${policy} }\n`
    await using world = await story({ ...past, policies }, async ({ us }) => {
      const { monthly } = await prices(us)
      await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly }] })
    })
    expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
    const id = (await world.target.customers.list()).data[0]?.id ?? ''
    const customer = await world.target.customers.retrieve(id)
    const usual = customer.deleted === true ? null : customer.invoice_settings.default_payment_method
    const own = typeof usual === 'string' ? usual : ''
    const broken = await world.target.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: id })
    const invoice_settings = { default_payment_method: broken.id }
    await world.target.customers.update(id, { balance: -2_000, invoice_settings })
    await world.advance('2026-03-15T12:00:00Z')
    // A card that a person gives the customer in the target would stop the revert by itself.
    await world.target.customers.update(id, { invoice_settings: { default_payment_method: own } })
    // The credit has paid 20.00 of 49.00, and 29.00 are open.
    const back = await planAndApply(world.stage('source'))
    expect([back.plan.blocked, back.plan.summary.revert]).toMatchObject([[{ code: 'open_invoice' }], 0])
    const [open] = (await world.target.invoices.list({ status: 'open' })).data
    await world.target.invoices.voidInvoice(open?.id ?? '')
    // Whether the old account bills a period that a person voided is said in the entry.
    const goesBack = world.stage('source')
    expect((await planAndApply(goesBack)).plan.blocked).toMatchObject([{ code: 'waived_in_target' }])
    const subscribers = goesBack.catalog.subscribers.map((one) => ({
      ...one,
      override: ['bill_waived_period' as const],
    }))
    const { plan } = await planAndApply({ ...goesBack, catalog: { ...goesBack.catalog, subscribers } })
    expect(plan.blocked.map(({ code }) => code)).toEqual(blocked)
    expect((await world.us.invoices.list({ limit: 1 })).data[0]?.amount_due).toBe(billed)
    expect(await world.target.customers.retrieve(id)).toMatchObject({ balance: left })
  },
)

test.each([
  ['exclusive', '116.62 usd'],
  ['inclusive', '98.00 usd'],
] as const)(
  'a period that no account charged is billed with the tax that Stripe computes, %s',
  async (tax_behavior, amount) => {
    const past = { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z' }
    await using world = await story(past, async ({ us }) => {
      const customer = await member(us, { address: { country: 'DE' } })
      // Two products with the same price: the lines differ only in the product.
      const items: { price: string }[] = []
      for (const name of ['Membership', 'Studio']) {
        const { id: product } = await us.products.create({ name })
        const recurring = { interval: 'month' } as const
        const { id } = await us.prices.create({ product, currency: 'usd', unit_amount: 4_900, tax_behavior, recurring })
        items.push({ price: id })
      }
      await us.subscriptions.create({ customer, items, automatic_tax: { enabled: true } })
    })
    expect((await planAndApply(world.stage('target'))).result.ok).toBe(true)
    // The target's draft of the renewal is half an hour old when the plan reverts the member.
    await world.advance('2026-03-15T08:30:00Z')
    const { plan, result } = await planAndApply(world.stage('source'))
    expect([plan.summary.revert, result.changes]).toMatchObject([1, [{ outcome: 'done' }]])
    await world.advance('2026-05-01T00:00:00Z')
    // By an invoice of the customer, right after the revert: once, with the same amount as
    // otherwise.
    expect(world.differences().map((one) => /^(\w+) .* (\d+\.\d+ usd)/.exec(one)?.slice(1))).toEqual([
      ['double', amount],
      ['missed', amount],
    ])
  },
)

test('a bank debit in progress is not a debt: the member moves only after it is paid', async () => {
  await using world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-16T00:00:00Z', policies: 'policies: { past_due: carry }\n' },
    async ({ us }) => {
      const { monthly } = await prices(us)
      const customer = await member(us)
      const { id } = await us.paymentMethods.attach('pm_usBankAccount_success', { customer })
      await us.customers.update(customer, { invoice_settings: { default_payment_method: id } })
      await us.subscriptions.create({ customer, items: [{ price: monthly }] })
    },
  )
  const { plan } = await planAndApply(world.stage('target'))
  expect(plan.deferred.map(({ code }) => code)).toEqual(['payment_in_flight'])
  await world.advance('2026-02-21T00:00:00Z')
  expect((await planAndApply(world.stage('target'))).plan.summary).toMatchObject({ move: 1 })
  await world.advance('2026-04-20T00:00:00Z')
  expect(world.differences()).toEqual([])
})
