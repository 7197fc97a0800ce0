import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/assert.ts'
import { formatInstant, instant } from '../../../src/core/instant.ts'
import { makePlan } from '../../../src/engine/plan/make-plan.ts'
import { pull } from '../../../src/engine/pull.ts'
import { planAndApply } from '../rig.ts'
import { billsOf, member, prices, story, successorOf, violationsOf, type Story } from './world.ts'

type Reading = boolean

/** Both readings of the instant that `billing_cycle_anchor` shows with a config. */
const readings: readonly (readonly [string, Reading])[] = [
  ['the first full invoice', true],
  ['the first date whose month has the day', false],
]

interface Case {
  readonly price: 'monthly' | 'quarterly'
  readonly since: string
  readonly now: string
  /** T: in a month too short for the 31st. */
  readonly next: string
  /** The first date of the cycle from T on that is a 31st. */
  readonly whole: string
}

const clock = '2026-01-31T09:15:00Z'
const cases: readonly Case[] = [
  { price: 'monthly', now: '2026-02-18', next: '2026-02-28', whole: '2026-03-31', since: clock },
  { price: 'monthly', now: '2026-04-20', next: '2026-04-30', whole: '2026-05-31', since: clock },
  { price: 'monthly', now: '2026-11-20', next: '2026-11-30', whole: '2026-12-31', since: clock },
  { price: 'quarterly', now: '2027-02-18', next: '2027-02-28', whole: '2027-05-31', since: '2026-08-31T09:15:00Z' },
  { price: 'quarterly', now: '2026-04-20', next: '2026-04-30', whole: '2026-07-31', since: clock },
  { price: 'quarterly', now: '2026-11-20', next: '2026-11-30', whole: '2027-05-31', since: '2026-08-31T09:15:00Z' },
]

const all = readings.flatMap(([name, reading]) =>
  cases.map((one) => [`${one.price}, T ${one.next}, anchor shown at ${name}`, one, reading] as const),
)

async function lived(
  { price, since, now }: Case,
  reading: Reading,
  more: Partial<Stripe.SubscriptionCreateParams> = {},
): Promise<{ readonly world: Story; readonly id: string }> {
  let id = ''
  const unsure = { config_anchor_at_first_invoice: reading }
  const world = await story({ clock, now: `${now}T00:00:00Z`, unsure }, async ({ us, until }) => {
    const known = await prices(us)
    const customer = await member(us)
    await until(since)
    id = (await us.subscriptions.create({ customer, items: [{ price: known[price] }], ...more })).id
  })
  return { world, id }
}

async function moved(one: Case, reading: Reading): ReturnType<typeof lived> {
  const { world, id } = await lived(one, reading)
  const { plan, result } = await planAndApply(world.stage('target'))
  expect([plan.blocked, plan.deferred, result.ok]).toEqual([[], [], true])
  return { world, id }
}

function after(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().replace('.000', '')
}

const shownAnchor = (one: Stripe.Subscription): string => formatInstant(instant(one.billing_cycle_anchor))

describe.each(all)('%s', (_, one, reading) => {
  test('is moved, verified, planned again without a change, settled after T, and billed on the old dates', async () => {
    const { world, id } = await moved(one, reading)
    await using __ = world
    const successor = await successorOf(world, id)
    expect(successor.billing_cycle_anchor_config?.day_of_month).toBe(31)
    expect(shownAnchor(successor)).toBe(`${reading ? one.next : one.whole}T09:15:00Z`)
    expect((await makePlan(world.stage('target'))).changes).toEqual([])
    expect(await violationsOf(world.stage('target'))).toEqual([])
    const early = await makePlan(world.stage('settled'))
    expect(early.deferred).toMatchObject([{ code: 'renewal_unproven' }])
    // T itself, not the shown anchor.
    expect(early.deferred[0]?.message).toContain(`${one.next}T09:15:00Z`)
    await world.advance(after(one.next, 1))
    expect(await violationsOf(world.stage('target'))).toEqual([])
    const { plan, result } = await planAndApply(world.stage('settled'))
    expect([plan.summary['settle'], result.ok]).toEqual([1, true])
    expect(await violationsOf(world.stage('settled'))).toEqual([])
    await world.advance('2028-06-01T00:00:00Z')
    expect(world.differences()).toEqual([])
    expect(billsOf(world, id)[0]).toMatch(`target ${one.next}`)
  })

  test.each([
    ['before T', 'next', -5],
    ['after T', 'next', 1],
    ['after two renewals', 'whole', 1],
  ] as const)('is reverted %s: billed by the old account as if nothing had happened', async (__, date, days) => {
    const { world } = await moved(one, reading)
    await using ___ = world
    await world.advance(after(one[date], days))
    const back = await planAndApply(world.stage('source'))
    expect([back.plan.blocked, back.plan.deferred, back.result.ok]).toEqual([[], [], true])
    expect(await violationsOf(world.stage('source'))).toEqual([])
    expect((await makePlan(world.stage('source'))).changes).toEqual([])
    await world.advance('2028-06-01T00:00:00Z')
    expect(world.differences()).toEqual([])
  })

  test('a source with its own config is pulled twice with the same result, and moved', async () => {
    const month = Number(one.next.slice(5, 7))
    const { world, id } = await lived(one, reading, {
      billing_cycle_anchor_config: {
        day_of_month: 31,
        ...(one.price === 'monthly' ? {} : { month }),
        hour: 9,
        minute: 15,
        second: 0,
      },
      proration_behavior: 'none',
    })
    await using __ = world
    const context = world.stage('target')
    const files = new Map([['project.yaml', 'project: school\naccounts: { target: {}, us: {}, intl: {} }\n']])
    const first = (await pull(context, { files })).files
    const again = (await pull(context, { files: new Map([...files, ...first]) })).files
    for (const [path, text] of again) expect(text).toBe(first.get(path))
    expect([...first.values()].join('\n')).toContain(`next_invoice: ${one.next}T09:15:00Z`)
    const { plan, result } = await planAndApply(context)
    expect([plan.blocked, plan.deferred, result.ok]).toEqual([[], [], true])
    expect((await makePlan(world.stage('target'))).changes).toEqual([])
    const successor = await successorOf(world, id)
    expect(present(successor.items.data[0], 'item').current_period_end).toBe(
      Date.parse(`${one.next}T09:15:00Z`) / 1_000,
    )
    await world.advance('2028-06-01T00:00:00Z')
    expect(await violationsOf(world.stage('target'))).toEqual([])
    expect(world.differences()).toEqual([])
  })
})
