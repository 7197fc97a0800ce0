import chalk from 'chalk'
import { expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import { verifyText } from '../../src/cli/render/verify-text.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { pull } from '../../src/engine/pull.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { accessNotices } from '../../src/engine/access/notices.ts'
import { readAccount } from '../../src/engine/read/account.ts'
import { wayAhead } from '../../src/engine/plan/way.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { wayText } from '../../src/cli/render/way-text.ts'
import { load } from '../catalog/project.ts'
import { members, type Members } from './members.ts'
import { at, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
/** Flexible mode has a notice of its own (`uncredited.test.ts`). */
const classic = { billing_mode: { type: 'classic' } } as const

async function customer({ us }: Members, more: Stripe.CustomerCreateParams = {}, card = true): Promise<string> {
  const paid = { payment_method: 'pm_card_visa', invoice_settings: { default_payment_method: 'pm_card_visa' } }
  return (await us.customers.create({ email: 'later@example.com', ...(card ? paid : {}), ...more })).id
}

async function monthly({ us, subscriptions }: Members): Promise<string> {
  return (await us.subscriptions.retrieve(subscriptions[0] ?? '')).items.data[0]?.price.id ?? ''
}

test('nothing silent: a schedule that has not begun is named with its date and amount, and verify fails until it is declared', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z', create: classic }], now)
  const later = await customer(school)
  const items = [{ price: await monthly(school), quantity: 2 }]
  const schedule = await school.us.subscriptionSchedules.create({
    customer: later,
    start_date: at('2026-12-01T00:00:00Z'),
    phases: [{ items, duration: { interval: 'month', interval_count: 12 } }],
  })
  const context = school.stage('target')
  const plan = await makePlan(context)
  expect(plan.notices).toMatchObject([
    {
      code: 'schedule_not_begun',
      subscriber: `us/${schedule.id}`,
      customer: later,
      at: '2026-12-01T00:00:00Z',
      amount: 9800,
      currency: 'usd',
    },
  ])
  expect(planText(plan, chalk)).toContain(`us/${schedule.id} on 2026-12-01 00:00:00 UTC`)
  expect(planMarkdown(plan)).toContain('98.00 usd')
  const { notes, summary } = await pull(context, { files: new Map() })
  expect(notes.join('\n')).toContain(schedule.id)
  expect(summary['notices']).toBe(1)
  const result = await verify(context)
  expect(result.violations.map(({ code, subscriber }) => `${code} ${subscriber}`)).toEqual([
    `schedule_not_begun us/${schedule.id}`,
  ])
  // Declared with a reason, it stays where it is.
  const declared = { ...context.catalog, externals: [{ source: 'us', customer: later, reason: 'stays' }] }
  expect((await makePlan({ ...context, catalog: declared })).notices).toBeUndefined()
  // After it has begun, it is an undeclared subscription.
  await school.advance('2026-12-02T00:00:00Z')
  const begun = await verify(context)
  expect(begun.violations.map(({ code }) => code)).toContain('undeclared_subscription')
  expect(begun.violations.map(({ code }) => code)).not.toContain('schedule_not_begun')
})

test('nothing silent: a trial that ends without a card is named with the amount due and what Stripe does then', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const without = await customer(school, {}, false)
  const price = await monthly(school)
  const trial = await school.us.subscriptions.create({
    customer: without,
    items: [{ price }],
    trial_end: at('2026-11-03T08:00:00Z'),
    trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
  })
  // With a card it is an ordinary trial.
  await school.us.subscriptions.create({ customer: await customer(school), items: [{ price }], trial_period_days: 20 })
  const { notices: [unknown, ...notices] = [] } = await makePlan(school.stage('source'))
  expect(unknown).toMatchObject({ code: 'undeclared_subscription' })
  expect(notices).toMatchObject([
    {
      code: 'trial_without_card',
      subscriber: `us/${trial.id}`,
      at: '2026-11-03T08:00:00Z',
      amount: 4900,
      currency: 'usd',
    },
  ])
  expect(notices[0]?.message).toContain('Stripe then cancels it')
  const result = await verify(school.stage('source'))
  expect(result.notices).toEqual(notices)
  expect(verifyText(result, chalk)).toContain('49.00 usd is due')
})

test('nothing silent: an end after more renewals is named before and after the move', async () => {
  const create = { cancel_at: at('2027-03-20T09:15:00Z'), proration_behavior: 'none', ...classic } as const
  await using school = await members([{ since: '2026-09-20T09:15:00Z', create }], now)
  const key = school.keys[0] ?? ''
  const context = school.stage('target')
  const { plan, result } = await planAndApply(context)
  expect(result.ok).toBe(true)
  const named = (all: readonly { code: string; subscriber: string; at: string | null }[] | undefined): string[] =>
    (all ?? []).map(({ code, subscriber, at: when }) => `${code} ${subscriber.split('/')[0]} ${when}`)
  expect(plan.notices?.[0]?.subscriber).toBe(key)
  expect(named(plan.notices)).toEqual(['ends_later us 2027-03-20T09:15:00Z'])
  expect(named((await verify(context)).notices)).toEqual(['ends_later target 2027-03-20T09:15:00Z'])
})

test('nothing silent: a pending item without a subscription is named with its amount, billed or stranded', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }], now)
  const lonely = await customer(school)
  const [first = ''] = school.subscriptions
  const member = (await school.us.subscriptions.retrieve(first)).customer as string
  await school.us.invoiceItems.create({ customer: member, amount: 1500, currency: 'usd' })
  await school.us.invoiceItems.create({ customer: lonely, amount: 700, currency: 'usd' })
  // An item that names its subscription belongs to that subscription's invoice.
  await school.us.invoiceItems.create({ customer: member, subscription: first, amount: 300, currency: 'usd' })
  const { notices = [] } = await makePlan(school.stage('source'))
  expect(notices.map(({ code, subscriber, at: when, amount }) => [code, subscriber, when, amount])).toEqual([
    ['item_without_subscription', `us/${member}`, '2026-10-20T09:15:00Z', 1500],
    ['item_without_subscription', `us/${lonely}`, null, 700],
  ])
  expect(notices[1]?.message).toContain('no subscription of')
})

test('nothing silent: a payer without an address, and a price without an offer, are named until they are declared', async () => {
  await using school = await members(
    [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z', price: 'yearly' }],
    now,
  )
  const [first = '', second = ''] = school.keys
  const member = (await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')).customer as string
  await school.us.customers.update(member, { email: '' })
  const { catalog, accounts, progress } = school.stage('source')
  const us = await readAccount(accounts.sources.get('us') ?? accounts.target, progress)
  const target = await readAccount(accounts.target, progress)
  const live = { target, sources: new Map([['us', us]]), resources: new Map() }
  const offers = { membership: { kajabi: '1', prices: ['monthly'] } }
  const found = (access: object) =>
    accessNotices({ ...catalog, access: access as typeof catalog.access }, live).map(
      (one) => `${one.code} ${one.subscriber}`,
    )
  expect(found({ offers })).toEqual([`payer_without_address ${first}`, 'price_without_offer price.yearly'])
  expect(accessNotices({ ...catalog, access: { offers } }, live)[1]?.message).toContain(second)
  expect(found({ offers, without_offer: ['yearly'] })).toEqual([`payer_without_address ${first}`])
  expect(found({})).toEqual([])
  // A price that gives no access needs no address.
  expect(found({ offers: { membership: { kajabi: '1', prices: ['yearly'] } }, without_offer: ['monthly'] })).toEqual([])
})

test('validate warns of a paid price without an offer, and refuses a name that is not a price', () => {
  const wave = `subscribers:
  sub_1A:
    customer: cus_1A
    items: [{ price: membership-monthly-usd }]
    anchor: 2026-01-31T09:15:00Z
`
  const offers = (prices: string): string => `offers:\n  course: { kajabi: "1", prices: [${prices}] }\n`
  const extra = '  other: { product: membership, currency: usd, unit_amount: 100, recurring: { interval: month } }\n'
  const prices = `prices:\n  membership-monthly-usd: { product: membership, currency: usd, unit_amount: 4900, recurring: { interval: month } }\n${extra}`
  const of = (access: string) => load({ 'prices.yaml': prices, 'subscribers/us/w.yaml': wave, 'access.yaml': access })
  const warned = of(offers('other'))
  expect(warned.findings.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual(['warning price-without-offer'])
  expect(warned.catalog).toBeDefined()
  expect(of(`${offers('other')}without_offer: [membership-monthly-usd]\n`).findings).toEqual([])
  expect(
    of(`${offers('membership-monthly-usd')}without_offer: [othre]\n`).findings.map(({ rule, fix }) => `${rule} ${fix}`),
  ).toEqual(['unknown-reference did you mean other?'])
})

test('a subscriber in the folder of the other account is named with the right account, and not removed', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const context = school.stage('target')
  const [first] = context.catalog.subscribers
  const [id = ''] = school.subscriptions
  const moved = { ...first, source: 'intl', key: `intl/${id}` } as typeof first
  const subscribers = moved === undefined ? [] : [moved]
  const plan = await makePlan({ ...context, catalog: { ...context.catalog, subscribers } })
  expect(plan.blocked.map(({ code, message, fix }) => [code, message, fix])).toEqual([
    [
      'not_in_source',
      `account intl has no subscription ${id}; account us has it`,
      'Move the entry into a file of catalog/subscribers/us/, then `crossbill plan`.',
    ],
  ])
})

test('promise: nobody forgotten: a live subscription that no file declares is in the plan, moved or not', async () => {
  const people = [
    { since: '2026-09-20T09:15:00Z', create: classic },
    { since: '2026-09-21T09:15:00Z', create: classic },
    { since: '2026-09-22T09:15:00Z', create: classic },
  ]
  await using school = await members(people, now)
  const [first = '', second = '', third = ''] = school.keys
  await planAndApply(school.stage((index) => (index === 0 ? 'target' : 'source')))
  const { catalog } = school.stage('target')
  const without = (...keys: string[]): ReturnType<typeof school.rig.with> =>
    school.rig.with({ ...catalog, subscribers: catalog.subscribers.filter(({ key }) => !keys.includes(key)) })
  const named = async (context: ReturnType<typeof school.rig.with>): Promise<readonly string[]> =>
    ((await makePlan(context)).notices ?? []).map(({ code, subscriber, message }) => `${code} ${subscriber} ${message}`)
  expect(await named(without())).toEqual([])
  expect(await named(without(first))).toEqual([
    expect.stringMatching(`undeclared_subscription ${first} .* was moved and is in no subscriber file`),
  ])
  expect(await named(without(second, third))).toEqual([
    expect.stringMatching(
      `undeclared_subscription (${second}|${third}) 2 subscriptions of us .* in no subscriber file`,
    ),
  ])
  const gone = without(first, third)
  const way = await wayAhead(gone, await survey(gone))
  expect(way).toMatchObject({ people: 1, undeclared: 2 })
  expect(wayText(way)).toContain('2 more live subscriptions are in no subscriber file')
})
