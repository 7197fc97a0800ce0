import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import chalk from 'chalk'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { present } from '../../src/core/assert.ts'
import { setFaults } from '../../src/sandbox/faults.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { calm } from '../../src/sandbox/stripe/test-cards.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'
import { openPulled, type School } from './school.ts'
import { member, violationsOf } from './stories/world.ts'

const begins = '2026-01-15T08:00:00Z'
const now = '2026-02-25T12:00:00Z'
const second = (when: string): number => Date.parse(when) / 1_000

/**
 * Each has an object that a move carries with separate requests. T is 15 March, unless the life
 * moved it.
 */
const lives: Readonly<Record<string, (us: Stripe, sandbox: Sandbox) => Promise<unknown>>> = {
  'a pause until a date': async (us) => {
    const { id } = await subscribe(us)
    const pause_collection = { behavior: 'void', resumes_at: second('2026-05-01T00:00:00Z') } as const
    await us.subscriptions.update(id, { pause_collection })
  },
  // In yen, which has no smaller unit; two equal items.
  'a balance and pending items': async (us, { world }) => {
    const { customer } = await subscribe(us, 'jpy')
    await world.advance(at('2026-02-20T00:00:00Z'))
    const id = typeof customer === 'string' ? customer : customer.id
    await us.customers.createBalanceTransaction(id, { amount: -7_000, currency: 'jpy' })
    for (const currency of ['jpy', 'jpy']) await us.invoiceItems.create({ customer: id, amount: 750, currency })
  },
  'a schedule with a phase to come': async (us) => {
    const { id, items } = await subscribe(us)
    const { id: schedule, phases } = await us.subscriptionSchedules.create({ from_subscription: id })
    const price = items.data[0]?.price.id ?? ''
    const [start, middle, end] = [phases[0]?.start_date ?? 0, '2026-04-15T08:00:00Z', '2026-06-15T08:00:00Z']
    await us.subscriptionSchedules.update(schedule, {
      end_behavior: 'release',
      phases: [
        { items: [{ price }], start_date: start, end_date: second(middle), proration_behavior: 'none' },
        {
          items: [{ price, quantity: 2 }],
          start_date: second(middle),
          end_date: second(end),
          proration_behavior: 'none',
        },
      ],
    })
  },
  // In dinars, which have three decimals.
  // It ends at T by itself, so there is nothing to settle.
  'usage that the old account bills at T': async (us) => {
    const meter = { display_name: 'Calls', event_name: 'calls', default_aggregation: { formula: 'sum' } } as const
    const { id } = await us.billing.meters.create(meter)
    const { customer } = await subscribe(us, 'usd', { usage_type: 'metered', meter: id })
    const payload = { stripe_customer_id: typeof customer === 'string' ? customer : customer.id, value: '3' }
    await us.billing.meterEvents.create({ event_name: 'calls', payload })
  },
  'an invoice that is past due': async (us, sandbox) => {
    const { id } = await subscribe(us, 'kwd')
    await act(sandbox, 'decline_card', { account: 'us', subscription: id })
  },
}
const policies = `policies: ${JSON.stringify({
  past_due: 'carry',
  customer_balance: 'carry',
  pending_invoice_items: 'carry',
  schedules: 'carry',
  collection_paused: 'carry',
  metered: 'carry',
})}\n`

/** The declined card pays from now on, in every account. */
function acceptCards({ world }: Sandbox): void {
  for (const account of world.accounts.values())
    for (const method of account.table(paymentMethods).all())
      account.table(paymentMethods).put({ ...method, temper: calm })
}

async function act(sandbox: Sandbox, name: string, input: Readonly<Record<string, string>>): Promise<void> {
  const request = { method: 'POST', body: JSON.stringify({ act: name, ...input }) }
  const answer = await sandbox.fetch('https://sandbox/_sandbox/act', request)
  if (!answer.ok) throw new Error(await answer.text())
}

async function subscribe(
  us: Stripe,
  currency = 'usd',
  recurring: Partial<Stripe.PriceCreateParams.Recurring> = {},
): Promise<Stripe.Subscription> {
  const { id: product } = await us.products.create({ name: 'Membership' })
  const { id: price } = await us.prices.create({
    product,
    currency,
    unit_amount: 4_900,
    recurring: { interval: 'month', ...recurring },
  })
  return us.subscriptions.create({ customer: await member(us), items: [{ price }] })
}

/** Played once; every run continues from a copy of it. */
async function past(name: string): Promise<Sandbox> {
  const sandbox = createSandbox({ clock: at(begins) })
  await lives[name]?.(clientOf(sandbox), sandbox)
  await sandbox.world.advance(at(now))
  return sandbox
}

type Stage = 'target' | 'source' | 'settled'

const cases = Object.keys(lives).flatMap((name) => {
  // A member paused until May has not paid for a renewal yet, and is not settled before.
  const stages: readonly Stage[] = /^(a pause|usage)/.test(name)
    ? ['target', 'source']
    : ['target', 'source', 'settled']
  return stages.map((stage) => [name, stage] as const)
})

/** The world that the context works on. */
const worlds = new WeakMap<Context['store'], Sandbox>()

test.each(cases)(
  '%s, carried to the %s: killed at every boundary, the same plan or a new one ends as a clean run does',
  async (name, stage) => {
    const begun = await past(name)
    const clean = await run(begun, stage, async (context) => void (await planAndApply(context)))
    expect(clean).toMatchObject({ differences: [], end: { violations: [], open: [] } })
    expect(clean.requests).toBeGreaterThan(stage === 'settled' ? 0 : 1)
    for (const boundary of boundaries(clean.requests)) {
      const again = await run(begun, stage, async (context) => {
        const plan = await makePlan(context)
        await dieAt(context, boundary, (living) => apply(living, plan))
        await apply(context, plan)
      })
      expect({ at: told(boundary), ...again }).toEqual({ at: told(boundary), ...clean, requests: again.requests })
      // A new plan sees what exists; after the last request, what only the dead run knew matters.
      if (boundary.side === 'before') continue
      const anew = await run(begun, stage, async (context) => {
        await dieAt(context, boundary, planAndApply)
        await planAndApply(context)
        await planAndApply(context)
      })
      expect({ at: told(boundary), ...anew }).toEqual({ at: told(boundary), ...clean, requests: anew.requests })
    }
  },
  180_000,
)

const ofMoney = cases.filter(([name, stage]) => /balance|invoice/.test(name) && stage !== 'settled')

test.each(ofMoney)(
  'promise 8: %s, on the way to the %s: a kill at every boundary, then another checkout with an empty store, ends like one clean run',
  async (name, stage) => {
    const begun = await past(name)
    const clean = await run(begun, stage, async (context) => void (await planAndApply(context)))
    for (const boundary of boundaries(clean.requests).filter(({ side }) => side === 'after')) {
      const again = await run(begun, stage, async (context) => {
        await dieAt(context, boundary, planAndApply)
        const other = await elsewhere(context)
        await planAndApply(other)
        await planAndApply(other)
        return other
      })
      expect({ at: told(boundary), ...again }).toEqual({ at: told(boundary), ...clean, requests: again.requests })
    }
  },
  180_000,
)

test.each([
  ['made', 'target'],
  ['released', 'source'],
] as const)('a schedule is %s and its answer reports a failure: the result shows what happened', async (_, stage) => {
  const begun = await past('a schedule with a phase to come')
  await run(begun, stage, async (context) => {
    const { world } = present(worlds.get(context.store), 'world')
    setFaults(world, { exact: [{ fault: 'error_after', match: 'POST /v1/subscription_schedules', nth: 1 }] })
    const { result } = await planAndApply(context)
    setFaults(world, undefined)
    expect(result.changes).toMatchObject([{ outcome: 'done' }])
    expect(result).toMatchObject({ ok: true, remaining: [] })
  })
})

test('a revert dies after it released the schedule of the target, and the stage is `target` again on another machine: verify names it, and the advice brings the phases back', async () => {
  const begun = await past('a schedule with a phase to come')
  await using school = await openPulled(cloneSandbox(begun), policies)
  await planAndApply(school.stage('target'))
  expect(await dieAt(school.stage('source'), { request: 0, side: 'after' }, planAndApply)).toBe(true)
  const target = clientOf(school.rig.sandbox, 'target')
  const scheduled = async (): Promise<readonly boolean[]> =>
    (await target.subscriptions.list()).data.map(({ schedule }) => schedule !== null)
  expect(await scheduled()).toEqual([false])
  const other = await elsewhere(school.stage('target'))
  await planAndApply(other)
  expect(await violationsOf(other)).toEqual([expect.stringContaining('schedule_lost us/sub_')])
  const settled = await makePlan({ ...other, catalog: school.stage('settled').catalog })
  expect(settled.changes).toEqual([])
  for (const stage of ['source', 'target'] as const)
    expect((await planAndApply({ ...other, catalog: school.stage(stage).catalog })).result).toMatchObject({ ok: true })
  expect(await scheduled()).toEqual([true])
  expect(await violationsOf(other)).toEqual([])
  await school.advance('2026-06-20T00:00:00Z')
  expect(school.differences()).toEqual([])
})

/** What a plan says besides the subscription, for the move and for the revert. */
const along: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'a pause until a date': [
    ['with its pause until 2026-05-01 00:00:00 UTC', '1 pause'],
    ['with its pause until 2026-05-01 00:00:00 UTC', '1 pause'],
  ],
  'a balance and pending items': [
    [
      'with a credit of 7,000 jpy, a pending item of 750 jpy, a pending item of 750 jpy',
      '1 credit (7,000 jpy), 2 pending items (1,500 jpy)',
    ],
    [
      'with a credit of 7,000 jpy, a pending item of 750 jpy, a pending item of 750 jpy',
      '1 credit (7,000 jpy), 2 pending items (1,500 jpy)',
    ],
  ],
  'a schedule with a phase to come': [['with the remaining 2 phases of its schedule', '1 schedule'], []],
  'an invoice that is past due': [
    ['with the open invoice in_… of 4.900 kwd', '1 open invoice (4.900 kwd)'],
    ['with the open invoice in_… of 4.900 kwd', '1 open invoice (4.900 kwd)'],
  ],
}

test.each(Object.entries(along))(
  'a plan shows that it carries %s, and carries it back',
  async (name, [there = [], back = []]) => {
    await using school = await openPulled(cloneSandbox(await past(name)), policies)
    for (const [stage, expected] of [
      ['target', there],
      ['source', back],
    ] as const) {
      const { plan } = await planAndApply(school.stage(stage))
      const lines = planText(plan, chalk).split('\n')
      const told = lines.flatMap((line) => /^ +(with .*)| Also carried: (.*)/.exec(line)?.slice(1) ?? [])
      expect(
        told.flatMap((one) =>
          one === undefined ? [] : [one.replace(/in_\w+/, 'in_…').replace('1 default payment method, ', '')],
        ),
      ).toEqual(expected)
      for (const one of expected)
        expect(planMarkdown(plan).replace(/in_\w+/g, 'in_…')).toContain(one.replace(/^with /, ''))
    }
  },
)

/**
 * One life from the same past: to the target; there and back; or there permanently, with months
 * afterwards.
 */
async function run(begun: Sandbox, stage: Stage, work: (context: Context) => Promise<Context | void>) {
  await using school = await openPulled(cloneSandbox(begun), policies)
  worlds.set(school.rig.context.store, school.rig.sandbox)
  // First the prices, or the move itself, so that every request belongs to the hand-over in
  // question.
  await planAndApply(school.stage(stage === 'target' ? 'source' : 'target'))
  if (stage === 'settled') {
    for (const sandbox of [school.rig.sandbox, school.controlRun]) acceptCards(sandbox)
    await school.advance('2026-04-20T00:00:00Z')
  }
  const before = school.rig.sent.length
  const last = await work(school.stage(stage))
  const requests = school.rig.sent.length - before
  const end = await endOf(school, last ?? school.stage(stage))
  for (const sandbox of [school.rig.sandbox, school.controlRun]) acceptCards(sandbox)
  await school.advance('2026-06-20T00:00:00Z')
  return { requests, end, differences: withoutDebt(school.differences()) }
}

/**
 * A carried debt is billed by an invoice of the customer, before the next attempt of the old
 * invoice: charged once here, once there.
 */
function withoutDebt(differences: readonly string[]): readonly string[] {
  const moneyOf = (one: string): string => /\d+\.\d\d+ \w+/.exec(one)?.[0] ?? ''
  const billed = differences.find((one) => one.startsWith('double ') && one.includes('/cus_'))
  const old = differences.find((one) => one.startsWith('missed ') && moneyOf(one) === moneyOf(billed ?? ''))
  return billed === undefined || old === undefined
    ? differences
    : differences.filter((one) => one !== billed && one !== old)
}

async function endOf({ rig }: School, context: Context) {
  const sides: Record<string, unknown> = {}
  for (const account of ['us', 'target']) {
    const client = clientOf(rig.sandbox, account)
    const { data: subscriptions } = await client.subscriptions.list({})
    const { data: customers } = await client.customers.list({})
    sides[account] = {
      subscriptions: subscriptions.map(({ status, pause_collection: pause, schedule, metadata }) => [
        status,
        pause,
        schedule === null ? 'free' : 'scheduled',
        Object.keys(metadata).toSorted(),
      ]),
      balances: customers.map(({ balance }) => balance),
      items: (await client.invoiceItems.list({ pending: true })).data.map(({ amount }) => amount),
    }
  }
  return { ...sides, violations: await violationsOf(context), open: await context.store.journalOpen() }
}
