import { expect, test } from 'vitest'
import { failed } from '../../src/core/outcome.ts'
import type { StripeRequest } from '../../src/engine/ports.ts'
import type { Context } from '../../src/engine/context.ts'
import { copyMapCheck } from '../../src/engine/verify/copied.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import { doctor } from '../../src/engine/doctor/doctor.ts'
import { drift } from '../../src/engine/verify/drift.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { CopyMapRow } from '../../src/engine/ports.ts'
import { members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const one = [{ since: '2026-09-20T09:15:00Z' }] as const

test('doctor and a plan with a move find every open old door, and none after they are closed', async () => {
  await using school = await members(one, now)
  const { us } = school
  const price = await us.prices.create({ currency: 'usd', unit_amount: 100, product_data: { name: 'x' } })
  await us.webhookEndpoints.create({
    url: 'https://old.example/hook',
    enabled_events: ['customer.subscription.deleted'],
  })
  const link = await us.paymentLinks.create({ line_items: [{ price: price.id, quantity: 1 }] })
  const portal = await us.billingPortal.configurations.create({
    features: { subscription_cancel: { enabled: true }, invoice_history: { enabled: true } },
  })
  const context = school.stage('target')
  const told = (doors: readonly { check: string; account?: string }[]): string[] =>
    doors.map(({ check, account }) => `${account} ${check}`)
  const open = async (): Promise<string[]> => {
    const { findings } = await doctor(context, { localNow: context.accounts.target.now() })
    const found = told(findings.filter(({ status }) => status !== 'ok'))
    expect(told((await makePlan(context)).doors ?? [])).toEqual(found)
    // Where no member leaves, no door needs to be closed.
    expect((await makePlan(school.stage('source'))).doors).toBeUndefined()
    return found
  }
  expect(await open()).toEqual(['us portal_allows_changes', 'us payment_link_active', 'us old_webhook_enabled'])
  await us.paymentLinks.update(link.id, { active: false })
  await us.billingPortal.configurations.update(portal.id, { features: { subscription_cancel: { enabled: false } } })
  for (const { id } of (await us.webhookEndpoints.list()).data) await us.webhookEndpoints.update(id, { disabled: true })
  expect(await open()).toEqual([])
})

test('doctor names every kind that a plan reads in the target and the key may not read', async () => {
  await using school = await members(one, now)
  const { sandbox } = school.rig
  const context = school.stage('source')
  const read = Object.fromEntries(
    [
      'account',
      'subscriptions',
      'customers',
      'invoices',
      'invoiceitems',
      'subscription_schedules',
      'setup_intents',
      'payment_intents',
    ]
      .concat(['products', 'prices', 'coupons', 'tax_rates', 'webhook_endpoints', 'billing_portal', 'tax'])
      .map((name) => [name, 'read']),
  )
  const body = JSON.stringify({ account: 'target', permissions: read })
  const answer = await sandbox.fetch('https://sandbox/_sandbox/keys', { method: 'POST', body })
  const { key } = (await answer.json()) as { key: string }
  const target = await connectAccount({ name: 'target', key, fetch: sandbox.fetch })
  const refusals = async (about: Context): Promise<readonly string[]> => {
    const { findings } = await doctor({ ...about, accounts: { ...about.accounts, target } }, { localNow: target.now() })
    const refused = findings.filter(({ check, status }) => check === 'permission' && status === 'failed')
    return refused.map(({ account, fix }) => `${account}: ${fix.replace(/ \(.*/, '')}`)
  }
  const kinds = [
    'target: give the key read access to charges',
    'target: give the key read access to entitlements/features',
    'target: give the key read access to billing/meters',
    'target: give the key read access to promotion_codes',
    'target: give the key read access to shipping_rates',
  ]
  expect(await refusals(context)).toEqual(kinds)
  // Members' card pages need one more.
  const serve = 'serve: { public_url: "https://school.example", link_secrets: [{ env: LINKS }] }'
  const sessions = 'target: give the key read access to checkout/sessions'
  expect(await refusals(school.stage('source', serve))).toEqual([kinds[0], sessions, ...kinds.slice(1)])
})

test('doctor tries what a plan expands: a key that may read customers may not read their payment methods', async () => {
  await using school = await members(one, now)
  const context = school.stage('source')
  const { target } = context.accounts
  const asked: string[] = []
  const accounts = {
    ...context.accounts,
    target: {
      ...target,
      async send(request: StripeRequest) {
        const expand = JSON.stringify(request.params?.['expand'] ?? [])
        if (!expand.includes('default_payment_method')) return target.send(request)
        asked.push(request.path)
        const message = "Having the 'rak_payment_method_read' permission would allow this request to continue."
        return failed({ kind: 'rejected', code: 'more_permissions_required', message, status: 403 })
      },
    },
  }
  const { findings } = await doctor({ ...context, accounts }, { localNow: target.now() })
  const refused = findings.filter(({ check, status }) => check === 'permission' && status === 'failed')
  expect(asked.toSorted()).toEqual(['/v1/customers', '/v1/subscriptions'])
  expect(refused.map(({ account, message }) => `${account} ${message}`).toSorted()).toEqual([
    expect.stringMatching(/^target reading customers with what belongs to them was refused: .*rak_payment_method_read/),
    expect.stringMatching(/^target reading subscriptions with what belongs to them was refused/),
  ])
})

test('a plan that shows open doors can be applied', async () => {
  await using school = await members(one, now)
  await school.us.webhookEndpoints.create({ url: 'https://old.example/hook', enabled_events: ['*'] })
  const { plan, result } = await planAndApply(school.stage('target'))
  expect([plan.doors?.length, result.ok]).toEqual([1, true])
})

test('doctor reports when this machine’s clock differs from Stripe’s, except in a simulated world', async () => {
  await using school = await members(one, now)
  const context = school.stage('target')
  const localNow = context.accounts.target.now() + 600
  const skewed = async (simulated: boolean) => {
    const account = { key: { env: 'K' }, account: 'acct_1', livemode: false }
    const accounts = simulated ? context.catalog.project.accounts : { target: account, us: account, intl: account }
    const project = { ...context.catalog.project, accounts }
    const { findings } = await doctor({ ...context, catalog: { ...context.catalog, project } }, { localNow })
    return findings.filter(({ check }) => check === 'clock_skew').length
  }
  expect([await skewed(true), await skewed(false)]).toEqual([0, 3])
})

test('the copy map’s check names the missing members and the reasons', async () => {
  await using school = await members(one, now)
  const context = school.stage('target')
  expect(await copyMapCheck(context)).toMatchObject({ sources: { us: { subscribers: 1, ready: 1 } }, findings: [] })
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  const id = typeof customer === 'string' ? customer : customer.id
  const card = await school.us.paymentMethods.attach('pm_card_mastercard', { customer: id })
  await school.us.customers.update(id, { invoice_settings: { default_payment_method: card.id } })
  const check = await copyMapCheck(context)
  expect(check.sources['us']).toMatchObject({ subscribers: 1, ready: 0 })
  expect(check.findings).toMatchObject([{ code: 'payment_method_unmapped', subscriber: school.keys[0] }])
  // Run while no stage is `target` yet: another copy is still possible then.
  expect(await copyMapCheck(school.stage('source'))).toEqual(check)
})

test('the copy map’s check accepts a row only when its new method is in the target', async () => {
  await using school = await members([{ ...one[0], card: 'pm_card_visa' }], now)
  const context = school.stage('target')
  expect((await copyMapCheck(context)).findings).toEqual([])
  const rows: CopyMapRow[] = []
  for await (const row of context.store.copyMap('us')) rows.push(row)
  await context.store.putCopyMap(rows.map((row) => ({ ...row, sourceNew: 'pm_ofAnotherCopy' })))
  expect(await copyMapCheck(context)).toMatchObject({
    sources: { us: { subscribers: 1, ready: 0 } },
    findings: [{ code: 'payment_method_unmapped', message: expect.stringContaining('pm_ofAnotherCopy') as string }],
  })
})

test('a later row wins only when its new payment method is in the target; one customer twice is refused', async () => {
  await using school = await members(one, now)
  const { context } = school.rig
  const rows = []
  for await (const { importedAt: _at, ...row } of context.store.copyMap('us')) rows.push(row)
  const [row] = rows
  if (row === undefined) throw new Error('no copy map')
  expect(await importCopyMap(context, 'us', rows)).toMatchObject({ added: 0, changed: 0, unchanged: rows.length })
  const gone = { ...row, sourceNew: 'pm_1NotThere' }
  expect(await importCopyMap(context, 'us', [gone])).toMatchObject({ changed: 0, unchanged: 1 })
  const later = await school.target.paymentMethods.attach('pm_card_visa', { customer: row.customerNew })
  expect(await importCopyMap(context, 'us', [{ ...row, sourceNew: later.id }])).toMatchObject({ changed: 1 })
  const other = importCopyMap(context, 'us', [{ ...row, sourceOld: 'pm_other', customerNew: 'cus_other' }])
  await expect(other).rejects.toMatchObject({ code: 'copy_map_conflict' })
  const stolen = { ...row, customerOld: 'cus_other', customerNew: 'cus_other' }
  await expect(importCopyMap(context, 'us', [row, stolen])).rejects.toMatchObject({ code: 'copy_map_conflict' })
  const swapped = rows.map((each) => ({ ...each, source: 'intl' }))
  await expect(importCopyMap(context, 'intl', swapped)).rejects.toMatchObject({
    code: 'copy_map_source',
    fix: 'it is the file of us: --source us',
  })
  await expect(importCopyMap(context, 'nobody', [])).rejects.toMatchObject({ code: 'copy_map_source' })
})

test('drift reports outside changes, and plan does not undo what a subscriber did', async () => {
  await using school = await members(one, now)
  await planAndApply(school.stage('target'))
  const context = school.stage('target')
  expect((await drift(context)).drift).toEqual([])
  const [product] = (await school.target.products.list()).data
  await school.target.products.update(product?.id ?? '', { name: 'Renamed by hand' })
  const [subscription] = (await school.target.subscriptions.list()).data
  const item = subscription?.items.data[0]?.id ?? ''
  await school.target.subscriptions.update(subscription?.id ?? '', {
    items: [{ id: item, quantity: 2 }],
    proration_behavior: 'none',
  })
  const found = (await drift(context)).drift.map(({ address, code }) => `${address.split('.')[0]} ${code}`)
  expect(found).toContain('subscriber changed_in_target')
  expect(found.some((each) => each.startsWith('product '))).toBe(true)
})
