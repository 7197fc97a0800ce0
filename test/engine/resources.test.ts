import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { openSecretSink } from '../../src/files/secret-sink.ts'
import { load } from '../catalog/project.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { catalogOf as fromText } from '../kinds/target.ts'
import { dieAt, openRig, planAndApply } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const files = {
  'products.yaml': `
products:
  membership: { name: Membership, default_price: monthly }
  diploma: { name: Diploma }
`,
  'prices.yaml': `
prices:
  monthly: { product: membership, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive }
  yearly: { product: membership, currency: usd, unit_amount: 49000, recurring: { interval: year } }
`,
  'coupons.yaml': `
coupons:
  welcome: { percent_off: 20, duration: repeating, duration_in_months: 3 }
`,
  'webhooks.yaml': `
webhook_endpoints:
  main: { url: 'https://school.example/hooks', enabled_events: [customer.subscription.deleted], secret_to: { file: state/hook.secret } }
`,
}

function catalogOf(texts: Readonly<Record<string, string>> = files) {
  const { catalog, findings } = load(texts)
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

test('planned objects are created and recorded in the store, and a second plan is empty', async () => {
  await using rig = await openRig(catalogOf())
  const { plan, result } = await planAndApply(rig.context)
  expect(plan.summary).toMatchObject({ create: 6, update: 0, blocked: 0 })
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect((await rig.context.store.objects()).map(({ address }) => address)).toEqual([
    'coupon.welcome',
    'price.monthly',
    'price.yearly',
    'product.diploma',
    'product.membership',
    'webhook_endpoint.main',
  ])
  expect((await makePlan(rig.context)).changes).toEqual([])
})

test('the plan is equal byte for byte while nothing changes', async () => {
  await using rig = await openRig(catalogOf())
  expect(await makePlan(rig.context)).toEqual(await makePlan(rig.context))
})

test('a signing secret reaches its sink, but not the plan, the store or the journal', async () => {
  await using rig = await openRig(catalogOf())
  const { plan } = await planAndApply(rig.context)
  const [secret] = rig.secrets.values()
  expect(secret).toMatch(/^whsec_/)
  const { store } = rig.context
  const everything = JSON.stringify([plan, await store.journal(), await store.objects(), await store.subscribers()])
  expect(everything).not.toContain(secret)
})

test('promise: nothing silent: endpoints made in one apply keep every secret in their common file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-sink-'))
  const names = ['A', 'B', 'C', 'D', 'E', 'F']
  const secretTo = (name: string): string => `secret_to: { env_file: .env, name: ${name} }`
  const catalog = catalogOf({
    'webhooks.yaml': `
webhook_endpoints:
${names.map((name) => `  ${name}: { url: 'https://school.example/${name}', enabled_events: [invoice.paid], ${secretTo(name)} }`).join('\n')}
event_destinations:
  thin: { name: Thin, type: webhook_endpoint, event_payload: thin, enabled_events: [v1.billing.meter.error_report_triggered], webhook_endpoint: { url: 'https://school.example/v2' }, ${secretTo('THIN')} }
`,
  })
  try {
    await using rig = await openRig(catalog)
    const { result } = await planAndApply({ ...rig.context, sink: openSecretSink({ folder, env: {} }) })
    expect(result).toMatchObject({ ok: true })
    const kept = readFileSync(join(folder, '.env'), 'utf8').trim().split('\n')
    expect(kept.map((line) => line.replace(/=whsec_.+/, '')).toSorted()).toEqual([...names, 'THIN'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a plan is refused when the YAML, the live objects or the store changed after it was made, and nothing is sent', async () => {
  await using rig = await openRig(catalogOf())
  const plan = await makePlan(rig.context)
  const edited = catalogOf({ ...files, 'products.yaml': files['products.yaml'].replace('Diploma', 'Big diploma') })
  await expect(apply(rig.with(edited), plan)).rejects.toMatchObject({ code: 'plan_stale' })
  await expect(apply(rig.context, { ...plan, expires: '2030-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'plan_edited',
  })
  await rig.context.store.putObjects([{ address: 'product.other', account: 'target', id: 'prod_x', applied: null }])
  await expect(apply(rig.context, plan)).rejects.toMatchObject({ code: 'plan_stale' })
  expect(rig.sent).toEqual([])
})

test('a plan of another account or mode is refused', async () => {
  await using rig = await openRig(catalogOf())
  const plan = await makePlan(rig.context)
  const { accounts } = rig.context
  const other = { ...rig.context, accounts: { ...accounts, target: { ...accounts.target, id: 'acct_other' } } }
  await expect(apply(other, plan)).rejects.toMatchObject({ code: 'plan_other_account' })
})

test('a plan that is too old is refused until --allow plan_age', async () => {
  await using rig = await openRig(catalogOf())
  const plan = await makePlan(rig.context)
  await rig.advance((rig.sandbox.clock() + 3 * 86_400) as never)
  await expect(apply(rig.context, plan)).rejects.toMatchObject({ code: 'plan_expired' })
  expect(await apply(rig.context, plan, { allow: ['plan_age'] })).toMatchObject({ ok: true })
})

test('two runs at once: the second reports who holds the lease', async () => {
  await using rig = await openRig(catalogOf())
  const plan = await makePlan(rig.context)
  const lease = await rig.context.store.acquire('apply', 'another run', 60)
  const stopped = { ...rig.context, interrupt: { requested: true } }
  await expect(apply(stopped, plan)).rejects.toMatchObject({ code: 'apply_running' })
  await lease?.release()
})

test('killed at any boundary and run again: the same objects as a clean run, none twice', async () => {
  const clean = await outcome(async () => undefined)
  for (let request = 0; request < 9; request++)
    for (const side of ['before', 'after'] as const) {
      const killed = await outcome(async (rig) => {
        const plan = await makePlan(rig.context)
        const died = await dieAt(rig.context, { request, side }, (living) => apply(living, plan))
        const again = died ? await apply(rig.context, plan) : { ok: true, remaining: [] }
        expect(again).toMatchObject({ ok: true, remaining: [] })
      })
      expect({ request, side, ...killed }).toEqual({ request, side, ...clean })
    }
})

test('killed at any boundary, then planned again: the same objects as one clean run, none twice', async () => {
  const clean = await outcome(async () => undefined)
  for (let request = 0; request < 9; request++)
    for (const side of ['before', 'after'] as const) {
      const killed = await outcome(async (rig) => {
        await dieAt(rig.context, { request, side }, planAndApply)
      })
      expect({ request, side, ...killed }).toEqual({ request, side, ...clean })
    }
})

/**
 * What exists after `work` and a plan that finishes it: names, counts, and whether the secret
 * arrived.
 */
async function outcome(work: (rig: Awaited<ReturnType<typeof openRig>>) => Promise<unknown>) {
  await using rig = await openRig(catalogOf())
  await work(rig)
  await planAndApply(rig.context)
  const { accounts, store } = rig.context
  const names: string[] = []
  for (const path of ['/v1/products', '/v1/prices', '/v1/coupons', '/v1/webhook_endpoints'])
    for await (const one of accounts.target.list(path))
      names.push(JSON.stringify([path, one['name'], one['unit_amount'], one['url']]))
  return {
    names: names.toSorted(),
    known: (await store.objects()).map(({ address }) => address),
    open: await store.journalOpen(),
    secrets: rig.secrets.size,
    left: (await makePlan(rig.context)).changes,
  }
}

test('a signing secret that Stripe no longer shows is reported, and no second endpoint is created', async () => {
  const catalog = catalogOf()
  const endpoint = catalog.resources.filter(({ kind }) => kind === 'webhook_endpoint')
  await using rig = await openRig({ ...catalog, resources: endpoint })
  // The run dies before it reads the answer to its only request, and two days pass.
  const died = await dieAt(rig.context, { request: 0, side: 'after' }, planAndApply)
  await rig.advance(instant(rig.sandbox.clock() + 2 * 86_400))
  await planAndApply(rig.context)
  const endpoints = []
  for await (const one of rig.context.accounts.target.list('/v1/webhook_endpoints')) endpoints.push(one.id)
  expect([died, endpoints.length, rig.secrets.size]).toEqual([true, 1, 0])
  expect(rig.notes.join()).toContain('webhook_endpoint.main exists, but Stripe no longer shows its signing secret')
})

test('a secret whose answer was lost is named, although the endpoint is found by reading', async () => {
  const sandbox = createSandbox()
  const fetch: typeof sandbox.fetch = async (input, init) => {
    const answer = await sandbox.fetch(input, init)
    const { pathname } = new URL(input instanceof Request ? input.url : String(input))
    const isLost =
      init?.method === 'POST' && ['/v1/webhook_endpoints', '/v2/core/event_destinations'].includes(pathname)
    return isLost ? Response.json({ error: { type: 'api_error', message: 'executed' } }, { status: 500 }) : answer
  }
  const destination =
    '{ name: E, type: webhook_endpoint, event_payload: thin, enabled_events: ["*"], webhook_endpoint: { url: "https://x.test/e" }, secret_to: { file: e } }'
  const text = `webhook_endpoints: { w: { url: "https://x.test/w", enabled_events: [invoice.paid], secret_to: { file: w } } }
event_destinations: { e: ${destination} }
`
  await using rig = await openRig(fromText(text), { ...sandbox, fetch })
  const { result } = await planAndApply(rig.context)
  expect(rig.secrets.size).toBe(0)
  expect(result.ok).toBe(false)
  expect(result.changes.map(({ address, code }) => `${address} ${code}`).toSorted()).toEqual([
    'event_destination.e secret_not_returned',
    'webhook_endpoint.w secret_not_returned',
  ])
})

test('a saved plan is not applied over a change that a person made to the same field since', async () => {
  const product = (name: string) => fromText(`products: { p: { name: ${name} } }\n`)
  await using rig = await openRig(product('One'))
  await planAndApply(rig.context)
  const context = rig.with(product('Two'))
  const plan = await makePlan(context)
  const { target } = context.accounts
  await target.send({ method: 'POST', path: '/v1/products/p', params: { name: 'Theirs' }, idempotencyKey: 'dashboard' })
  await expect(apply(context, plan)).rejects.toMatchObject({ code: 'plan_stale' })
})
