import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import { present } from '../../src/core/assert.ts'
import { instant } from '../../src/core/instant.ts'
import type { Catalog } from '../../src/catalog/types.ts'
import { adoptedObjects } from '../../src/catalog/adopted.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { pullCatalog, type Pulled } from '../../src/pull/pull.ts'
import { readAccount } from '../../src/engine/read/account.ts'
import { readResources } from '../../src/engine/read/resources.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { projectYaml } from '../catalog/project.ts'
import { everyShape } from './every-shape.ts'
import { catalogOf, lines, Target } from './target.ts'

const progress = { start() {}, step() {}, note() {}, done() {} }

/** The files of a project in memory, into which a pull writes. */
class Files {
  readonly all = new Map([['project.yaml', projectYaml]])

  write(pulled: Pulled): void {
    for (const [path, text] of pulled.files) this.all.set(path, text)
  }

  load(): Catalog {
    const { catalog, findings } = loadCatalog([...this.all].map(([path, text]) => ({ path, text })))
    return present(catalog, `catalog, since ${JSON.stringify(findings)}`)
  }
}

async function pullTarget(target: Target, files: Files): Promise<Pulled> {
  const read = { live: await readAccount(target.account, progress), resources: await readResources(target.account) }
  return pullCatalog({ project: 'school', accounts: [read], files: files.all, now: instant(target.account.now()) })
}

const alphabetically = (a: string, b: string): number => (a < b ? -1 : 1)

function mapped(catalog: Catalog): Record<string, string> {
  return Object.fromEntries(adoptedObjects(catalog))
}

test(
  'the school’s catalog is pulled from its old accounts and made in the target, and then nothing is left to do',
  { timeout: 60_000 },
  async () => {
    const sandbox = createSandbox({ population: { name: 'school', subscribers: 300 } })
    const connect = (name: string) => connectAccount({ name, key: `sk_test_sandbox_${name}`, fetch: sandbox.fetch })
    const accounts = await Promise.all(
      ['us', 'intl'].map(async (name) => {
        const account = await connect(name)
        return { live: await readAccount(account, progress), resources: await readResources(account) }
      }),
    )
    const files = new Files()
    files.write(pullCatalog({ project: 'school', accounts, files: files.all, now: instant(sandbox.clock()) }))
    const catalog = files.load()
    expect(catalog.resources.length).toBeGreaterThan(60)
    const target = new Target(await connect('target'))
    const plan = await target.plan(catalog)
    expect(plan.blocked).toEqual([])
    expect(plan.changes.length).toBe(catalog.resources.length)
    await target.apply(plan)
    expect(lines(await target.plan(catalog))).toEqual([])
    // A pull of the target finds nothing that the catalog lacks, except the tax registrations of
    // the new account.
    const pulled = await pullTarget(target, files)
    expect([...pulled.files.keys()]).toEqual(['tax-registrations.yaml', 'tax-settings.yaml'])
    files.write(pulled)
    expect(lines(await target.plan(files.load()))).toEqual([])
    expect([...(await pullTarget(target, files)).files.keys()]).toEqual([])
  },
)

test('features attached in the old accounts are carried, and named where an existing entry lacks them', async () => {
  const sandbox = createSandbox()
  const us = new Target(await connectAccount({ name: 'us', key: 'sk_test_sandbox_us', fetch: sandbox.fetch }))
  const { id: product = '' } = await us.send('POST', '/v1/products', { name: 'API course' })
  await us.send('POST', '/v1/prices', {
    product,
    currency: 'usd',
    unit_amount: 500,
    lookup_key: 'api',
    recurring: { interval: 'month' },
  })
  for (const name of ['export', 'import']) {
    const { id: feature = '' } = await us.send('POST', '/v1/entitlements/features', { name, lookup_key: name })
    await us.send('POST', `/v1/products/${product}/features`, { entitlement_feature: feature })
  }
  const account = { live: await readAccount(us.account, progress), resources: await readResources(us.account) }
  const pull = (files: Files): Pulled =>
    pullCatalog({ project: 'school', accounts: [account], files: files.all, now: instant(sandbox.clock()) })
  const files = new Files()
  files.write(pull(files))
  const catalog = files.load()
  const target = new Target(
    await connectAccount({ name: 'target', key: 'sk_test_sandbox_target', fetch: sandbox.fetch }),
  )
  await target.apply(await target.plan(catalog))
  const attached = await target.list('/v1/products/api-course/features')
  expect(
    attached.map((one) => (one['entitlement_feature'] as { lookup_key: string }).lookup_key).toSorted(alphabetically),
  ).toEqual(['export', 'import'])
  expect(lines(await target.plan(catalog))).toEqual([])
  expect([...pull(files).files.keys()]).toEqual([])
  // A catalog from before features were supported.
  const older = new Files()
  for (const [path, text] of files.all)
    if (path !== 'features.yaml') older.all.set(path, text.replaceAll(/\n +features:.*(?:\n +- .*)*/g, ''))
  expect(pull(older).notes.join()).toContain('Without them, members lose these entitlements')
})

describe('pulling the target', () => {
  test('foreign objects enter the YAML with mappings, the next plan adopts them, and nothing else changes', async () => {
    const target = await Target.open()
    const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'Diploma' })
    const { id: price = '' } = await target.send('POST', '/v1/prices', {
      product,
      currency: 'eur',
      unit_amount: 9900,
      recurring: { interval: 'year' },
      lookup_key: 'diploma',
    })
    await target.send('POST', `/v1/products/${product}`, { default_price: price })
    await target.send('POST', '/v1/prices', { product, currency: 'eur', unit_amount: 1, active: false })
    await target.send('POST', '/v1/coupons', { id: 'SUMMER', percent_off: 15, applies_to: { products: [product] } })
    await target.send('POST', '/v1/promotion_codes', { code: 'SUN', promotion: { type: 'coupon', coupon: 'SUMMER' } })
    await target.send('POST', '/v1/webhook_endpoints', { url: 'https://x.test/hook', enabled_events: ['*'] })
    await target.send('POST', '/v1/billing_portal/configurations', {
      features: {
        subscription_update: {
          enabled: true,
          default_allowed_updates: ['price'],
          products: [{ product, prices: [price] }],
        },
      },
    })
    const files = new Files()
    files.write(await pullTarget(target, files))
    const catalog = files.load()
    expect(files.all.get('products.yaml')).toContain('default_price: diploma-yearly-eur')
    const plan = await target.plan(catalog, { mapped: mapped(catalog) })
    expect(
      lines(plan)
        .map((line) => line.split(' ').slice(0, 2).join(' '))
        .sort(),
    ).toEqual([
      'adopt coupon.SUMMER',
      'adopt portal_configuration.' + [...catalog.resources].find(({ kind }) => kind === 'portal_configuration')?.key,
      'adopt price.diploma-yearly-eur',
      'adopt product.diploma',
      'adopt promotion_code.sun',
      'adopt webhook_endpoint.https-x-test-hook',
    ])
    for (const { because, steps } of plan.changes) {
      expect(because).toEqual(['marks'])
      expect(steps.map(({ params }) => Object.keys(params))).toEqual([['metadata']])
    }
    await target.apply(plan)
    expect(lines(await target.plan(catalog, { mapped: mapped(catalog) }))).toEqual([])
  })

  test('an object that the YAML does not hold is named by its id, and a reference by lookup key is left as it is', async () => {
    const target = await Target.open()
    const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'Archived' })
    const { id: price = '' } = await target.send('POST', '/v1/prices', {
      product,
      currency: 'usd',
      unit_amount: 5,
      lookup_key: 'five',
    })
    await target.send('POST', '/v1/payment_links', { line_items: [{ price, quantity: 1 }] })
    await target.send('POST', `/v1/products/${product}`, { active: false })
    const files = new Files()
    files.write(await pullTarget(target, files))
    expect(files.all.get('prices.yaml')).toContain(`product: { id: ${product} }\n`)
    const catalog = files.load()
    await target.apply(await target.plan(catalog, { mapped: mapped(catalog) }))
    expect(lines(await target.plan(catalog, { mapped: mapped(catalog) }))).toEqual([])
    const links = present(files.all.get('payment-links.yaml'), 'payment links')
    const byLookupKey = links.replace(/price: [\w-]+/, 'price: { lookup_key: five }')
    expect(byLookupKey).not.toBe(links)
    files.all.set('payment-links.yaml', byLookupKey)
    expect([...(await pullTarget(target, files)).files.keys()]).toEqual([])
    expect(lines(await target.plan(files.load()))).toEqual([])
  })

  test('values changed outside are written as they are now', async () => {
    const target = await Target.open()
    const files = new Files()
    files.all.set('products.yaml', '# ours\nproducts:\n  p:\n    name: P # short\n    description: d\n')
    await target.apply(await target.plan(files.load()))
    await target.send('POST', '/v1/products/p', { name: 'Better', description: null })
    const pulled = await pullTarget(target, files)
    expect(pulled.notes).toEqual(['product.p was changed outside Crossbill: name, description'])
    files.write(pulled)
    expect(files.all.get('products.yaml')).toBe('# ours\nproducts:\n  p:\n    name: Better # short\n')
    expect(lines(await target.plan(files.load()))).toEqual([])
  })
})

test('every kind in every shape: pulled into an empty catalog, it plans nothing', { timeout: 120_000 }, async () => {
  for (const sections of everyShape()) {
    const target = await Target.open()
    const customer = await target.send('POST', '/v1/customers', { name: 'Only one' })
    const other = await target.send('POST', '/v1/customers', { name: 'Only two' })
    const text = JSON.stringify(sections)
    const catalog = catalogOf(text.replaceAll('cus_ONE', String(customer.id)).replaceAll('cus_TWO', String(other.id)))
    await target.apply(await target.plan(catalog))
    const files = new Files()
    files.write(await pullTarget(target, files))
    const pulled = files.load()
    const plan = await target.plan(pulled, { mapped: mapped(pulled) })
    // An archived object is not written, so its entry is what the plan names.
    expect(lines(plan).filter((line) => !/^retire .*no longer declared/.test(line))).toEqual([])
    expect([...(await pullTarget(target, files)).files.keys()]).toEqual([])
  }
})

test('a pull of the target keeps the entries of observed objects, and leaves ignored fields and defaults alone', async () => {
  const target = await Target.open()
  const send = (path: string, params: JsonObject) => target.send('POST', `/v1/${path}`, params)
  await send('products', { id: 'ext', name: 'Ext' })
  await send('prices', { product: 'ext', currency: 'usd', unit_amount: 500, lookup_key: 'extp' })
  await send('coupons', { id: 'extc', percent_off: 5, duration: 'once' })
  await send('webhook_endpoints', { url: 'https://o.test/a', enabled_events: ['*'] })
  const files = new Files()
  files.all.set(
    'all.yaml',
    `products:
  ext: { name: Ext, observe: true }
  own: { name: Own, description: d, tax_details: { tax_code: txcd_10000000 }, ignore_fields: [ description, metadata.crm ] }
prices:
  extp: { product: ext, currency: usd, unit_amount: 500, lookup_key: extp, observe: true }
coupons: { extc: { percent_off: 5, duration: once, observe: true } }
webhook_endpoints: { o: { url: "https://o.test/a", enabled_events: [ "*" ], observe: true } }
payment_links: { l: { line_items: [ { price: { lookup_key: extp }, quantity: 1 } ] } }
`,
  )
  await target.apply(await target.plan(files.load()))
  const before = files.all.get('all.yaml') ?? ''
  const first = await pullTarget(target, files)
  expect([...first.files.keys()]).toEqual(['tax-registrations.yaml', 'tax-settings.yaml'])
  files.write(first)
  await send('products/own', { description: 'theirs', metadata: { crm: '7', x: '1' } })
  await send('products/ext', { name: 'Changed' })
  const second = await pullTarget(target, files)
  expect([...second.files.keys()]).toEqual(['all.yaml'])
  expect(second.files.get('all.yaml')).toBe(
    before.replace('{ name: Ext,', '{ name: Changed,').replace('crm ] }', 'crm ], metadata: { x: "1" } }'),
  )
  files.write(second)
  expect(lines(await target.plan(files.load()))).toEqual([])
})
