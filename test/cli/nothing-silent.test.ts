import { expect, test, vi } from 'vitest'
import { billedTo, servedProject } from './served-project.ts'

vi.setConfig({ testTimeout: 240_000 })

const card = 'pm_card_visa'
const settings = { payment_method: card, invoice_settings: { default_payment_method: card } }

test('nothing silent: a deleted customer, a reused coupon id, a schedule ahead, an endpoint of 2020, a failed finalization', async () => {
  await using project = await servedProject()
  project.sandbox.world.choose({ tax_without_location: 'draft_stays' })
  const us = project.stripe('us')
  const price = await project.price('us', 4_900)
  const [plain, gone] = [await project.member('us', price), await project.member('us', price)]
  // The discount keeps 20 %; the id now means 50 %.
  await us.coupons.create({ id: 'WELCOME', percent_off: 20, duration: 'forever' })
  const reused = await project.member('us', price, { discounts: [{ coupon: 'WELCOME' }] })
  await us.coupons.del('WELCOME')
  await us.coupons.create({ id: 'WELCOME', percent_off: 50, duration: 'forever' })
  const later = await us.customers.create({ email: 'later@example.com', ...settings })
  const schedule = await us.subscriptionSchedules.create({
    customer: later.id,
    start_date: Date.parse('2027-02-10T00:00:00Z') / 1_000,
    phases: [{ items: [{ price }], duration: { interval: 'month', interval_count: 12 } }],
  })
  await us.webhookEndpoints.create({
    url: 'https://old.example/hook',
    enabled_events: ['customer.subscription.deleted'],
    api_version: '2020-08-27',
  })
  const address = { country: 'US', state: 'CA', postal_code: '94103', line1: '1 Street', city: 'San Francisco' }
  const taxed = await us.customers.create({ email: 'taxed@example.com', address, ...settings })
  const stuck = await us.subscriptions.create({
    customer: taxed.id,
    items: [{ price }],
    automatic_tax: { enabled: true },
  })
  await us.customers.update(taxed.id, { address: '' })
  await project.advance('2027-01-01T15:00:00Z')
  const [draft] = (await us.invoices.list({ status: 'draft' })).data
  expect(draft?.last_finalization_error?.code).toBe('customer_tax_location_invalid')

  await project.copy()
  const pulled = await project.run('pull')
  expect([pulled.code, pulled.stdout]).toEqual([0, expect.stringContaining(schedule.id)])
  expect((await project.run('copy-map', 'import', 'us.csv')).code).toBe(0)
  await us.customers.del(gone.customer)
  expect((await project.run('apply', '--yes')).code).toBe(0)
  project.stage('target')

  const { stdout: plan } = await project.run('plan')
  const told = [
    // The old terms, not those of the coupon that has the id today.
    new RegExp(`us/${reused.subscription} +next charge 39\\.20 usd`),
    new RegExp(`finalization_failed \\(1\\)\\n +us/${stuck.id}: .*${draft?.id}: customer_tax_location_invalid`),
    new RegExp(`schedule_not_begun \\(1\\)\\n.*${schedule.id}`),
    /us: 1 enabled webhook endpoint\(s\) receive customer\.subscription\.deleted/,
    /\b1 ended\./,
  ]
  for (const line of told) expect(plan).toMatch(line)
  const applied = await project.run('apply', '--yes')
  expect([applied.code, applied.stdout]).toEqual([0, expect.stringMatching(/2 moved, 1 blocked/)])
  const verified = await project.run('verify')
  expect(verified.code).toBe(2)
  for (const line of [
    new RegExp(`finalization_failed \\(1\\)\\n +us/${stuck.id}`),
    new RegExp(`schedule_not_begun \\(1\\)\\n.*${schedule.id}`),
  ])
    expect(verified.stdout).toMatch(line)
  expect((await project.run('doctor')).stdout).toMatch(/old_webhook_enabled: 1 enabled/)
  // Stripe shows a deleted customer without the fields that explain expands.
  expect((await project.run('explain', `us/${gone.subscription}`)).stdout).toMatch(/ended/)

  // Whoever moved is charged once, by the target, with the terms of their own discount.
  await project.advance('2027-03-01T15:00:00Z')
  for (const [member, amount] of [
    [plain, 4_900],
    [reused, 3_920],
  ] as const)
    expect(await billedTo(project, member)).toEqual([`target ${amount}`, `target ${amount}`])
})
