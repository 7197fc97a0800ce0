import { createRequire } from 'node:module'
import type * as SyncEngine from '@supabase/stripe-sync-engine'
import pg from 'pg'
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../../src/sandbox/server.ts'
import { startPostgres, type RunningPostgres } from '../../postgres.ts'

// Its ES module looks for its migrations by a name that only CommonJS has.
const { runMigrations, StripeSync } = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof SyncEngine

let postgres: RunningPostgres
let server: Awaited<ReturnType<typeof serveSandbox>>
const sandbox = createSandbox({ population: { name: 'school', subscribers: 40 } })
beforeAll(async () => {
  postgres = await startPostgres()
  server = await serveSandbox(sandbox, { port: 0 })
}, 120_000)
afterAll(async () => {
  await server.close()
  await postgres.stop()
})

/** What it reads from lists, and the table into which it writes. */
const copied: readonly (readonly [object: SyncEngine.SyncObject, path: string, table: string])[] = [
  ['product', 'products', 'products'],
  ['price', 'prices', 'prices'],
  ['customer', 'customers', 'customers'],
  ['subscription', 'subscriptions?status=all', 'subscriptions'],
  ['subscription_schedules', 'subscription_schedules', 'subscription_schedules'],
  ['invoice', 'invoices', 'invoices'],
  ['charge', 'charges', 'charges'],
  ['payment_intent', 'payment_intents', 'payment_intents'],
]

test('a program that copies an account into PostgreSQL copies every object of it', async () => {
  const databaseUrl = await postgres.database()
  const client = new pg.Client(databaseUrl)
  await client.connect()
  // Its migrations expect the role that most databases have.
  await client.query('create role postgres superuser')
  await runMigrations({ databaseUrl, schema: 'stripe' })
  const key = sandbox.ready.accounts['us']?.long_key ?? ''
  const sync = new StripeSync({
    poolConfig: { connectionString: databaseUrl },
    stripeSecretKey: key,
    stripeWebhookSecret: 'whsec_none',
  })
  const { hostname, port } = new URL(server.url)
  // It has no setting for the address of Stripe.
  sync.stripe = new Stripe(key, { host: hostname, port: Number(port), protocol: 'http' })
  let total = 0
  try {
    for (const [object, path, table] of copied) {
      await sync.syncBackfill({ object, backfillRelatedEntities: false })
      const there = await ids(key, path)
      const { rows } = await client.query<{ id: string }>(`select id from stripe.${table}`)
      expect([table, rows.map(({ id }) => id).toSorted()]).toEqual([table, there.toSorted()])
      total += there.length
    }
    expect(total).toBeGreaterThan(100)
  } finally {
    await sync.postgresClient.pool.end()
    // The pool does not wait until the server has closed its connections.
    await vi.waitFor(async () => {
      const open = `select 1 from pg_stat_activity where application_name = 'stripe-sync-engine'`
      expect((await client.query(open)).rows).toEqual([])
    })
    await client.end()
  }
}, 120_000)

async function ids(key: string, path: string): Promise<string[]> {
  const all: string[] = []
  for (let after = ''; ;) {
    const url = `${server.url}/v1/${path}${path.includes('?') ? '&' : '?'}limit=100${after === '' ? '' : `&starting_after=${after}`}`
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    const { data, has_more } = (await answer.json()) as { data: { id: string }[]; has_more: boolean }
    all.push(...data.map(({ id }) => id))
    after = data.at(-1)?.id ?? ''
    if (!has_more) return all
  }
}
