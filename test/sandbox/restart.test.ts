import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { createSandbox, type Sandbox, type WorldStorage } from '../../src/sandbox/sandbox.ts'
import { clientOf } from './client.ts'

function memory() {
  const rows = new Map<string, { table: string; key: string; value: string }>()
  const storage: WorldStorage = {
    load: () => [...rows.values()],
    save(changes) {
      for (const { table, key, value } of changes) {
        if (value === null) rows.delete(`${table} ${key}`)
        else rows.set(`${table} ${key}`, { table, key, value })
      }
    },
  }
  return { rows, storage }
}

const clock = (sandbox: Sandbox, to: string) =>
  sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })

/** A story in steps; each step knows earlier steps only by what it reads. */
const story: ((stripe: Stripe, sandbox: Sandbox) => Promise<unknown>)[] = [
  (stripe) => stripe.products.create({ id: 'p', name: 'P' }),
  (stripe) =>
    stripe.prices.create({
      product: 'p',
      currency: 'usd',
      unit_amount: 900,
      recurring: { interval: 'month' },
      lookup_key: 'k',
    }),
  (stripe) => stripe.coupons.create({ id: 'c', percent_off: 50, duration: 'repeating', duration_in_months: 2 }),
  (stripe) =>
    stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    }),
  async (stripe) => {
    const [price] = (await stripe.prices.list({ lookup_keys: ['k'] })).data
    const [customer] = (await stripe.customers.list()).data
    return stripe.subscriptions.create({
      customer: customer?.id ?? '',
      items: [{ price: price?.id ?? '' }],
      discounts: [{ coupon: 'c' }],
      trial_end: Date.UTC(2026, 11, 20) / 1_000,
    })
  },
  (_, sandbox) => clock(sandbox, '2026-12-20T00:30:00Z'),
  (_, sandbox) => clock(sandbox, '2026-12-20T01:00:00Z'),
  (_, sandbox) => clock(sandbox, '2027-01-31T00:00:00Z'),
  async (stripe) => {
    const [subscription] = (await stripe.subscriptions.list()).data
    return stripe.subscriptions.update(subscription?.id ?? '', { pause_collection: { behavior: 'void' } })
  },
  (_, sandbox) => clock(sandbox, '2027-06-30T00:00:00Z'),
]

/** Plays the story, with a new process before each of the given steps. */
async function play(restarts: ReadonlySet<number>) {
  const { rows, storage } = memory()
  let sandbox = createSandbox({ storage })
  for (const [index, step] of story.entries()) {
    if (restarts.has(index)) sandbox = createSandbox({ storage })
    await step(clientOf(sandbox), sandbox)
  }
  const dump = Array.from(sandbox.world.dump(), ({ table, key, value }) => [`${table} ${key}`, value] as const)
  return {
    dump: plain(dump),
    stored: plain(Array.from(rows.values(), ({ table, key, value }) => [`${table} ${key}`, value] as const)),
  }
}

/** Rows by name. Ids of requests and keys that the SDK creates differ between runs. */
function plain(rows: readonly (readonly [string, string])[]): Record<string, string> {
  const kept = rows.filter(([name]) => !name.includes('/idempotency'))
  const quiet = (value: string) => value.replaceAll(/"request":\{[^}]*\}/g, '"request":{}')
  return Object.fromEntries(
    kept.map(([name, value]) => [name, quiet(value)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The names of rows that differ, or that only one of them has. */
function differing(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name])
}

test('a world that is reloaded before any step, or before every step, ends like a world without restarts', async () => {
  const straight = await play(new Set())
  expect(differing(straight.stored, straight.dump)).toEqual([])
  expect(Object.keys(straight.dump).filter((name) => name.startsWith('us/invoices')).length).toBeGreaterThan(2)
  const every = new Set(story.keys())
  for (const restarts of [...Array.from(every, (index) => new Set([index])), every]) {
    const stopped = await play(restarts)
    expect(differing(stopped.dump, straight.dump)).toEqual([])
    expect(differing(stopped.stored, straight.dump)).toEqual([])
  }
})
