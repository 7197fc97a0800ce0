import { describe, expect, test } from 'vitest'
import { catalogOf, lines, Target } from './target.ts'

const monthly = `products: { p: { name: P } }
prices: { a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month }, lookup_key: monthly } }`

async function after(sections: string): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(sections)))
  return target
}

describe('only our own objects are changed', () => {
  test('objects without our marks are not changed, whatever the YAML says', async () => {
    const target = await Target.open()
    const product = await target.send('POST', '/v1/products', { name: 'Theirs' })
    await target.send('POST', '/v1/prices', { product: product.id ?? '', currency: 'usd', unit_amount: 1 })
    await target.send('POST', '/v1/coupons', { percent_off: 5 })
    await target.send('POST', '/v1/tax_rates', { display_name: 'VAT', percentage: 20, inclusive: false })
    await target.send('POST', '/v1/webhook_endpoints', { url: 'https://x.test/theirs', enabled_events: ['*'] })
    expect(lines(await target.plan(catalogOf('')))).toEqual([])
    const plan = await target.plan(catalogOf(monthly))
    expect(lines(plan)).toEqual(['create product.p (declared)', 'create price.a (declared)'])
    expect(plan.owned).toBe(0)
  })

  test('a matching foreign object is adopted visibly, and only its marks are written', async () => {
    const target = await Target.open()
    await target.send('POST', '/v1/products', { id: 'p', name: 'P' })
    const plan = await target.plan(catalogOf('products: { p: { name: P } }'))
    expect(lines(plan)).toEqual(['adopt product.p (marks)'])
    expect(plan.changes[0]?.steps.map(({ path, params }) => [path, params])).toEqual([
      ['/v1/products/p', { metadata: { crossbill_project: 'school', crossbill_address: 'product.p' } }],
    ])
  })

  test('a conflicting foreign object blocks, and the plan says how to take it over', async () => {
    const target = await Target.open()
    await target.send('POST', '/v1/products', { id: 'p', name: 'Theirs' })
    const catalog = catalogOf('products: { p: { name: P } }')
    const plan = await target.plan(catalog)
    expect(lines(plan)).toEqual(['blocked product.p (foreign_object)'])
    expect(plan.blocked[0]?.fix).toContain('products: { p: p }')
    expect(lines(await target.plan(catalog, { mapped: { p: 'product.p' } }))).toEqual(['adopt product.p (name, marks)'])
  })

  test('a mapped object with a different immutable field is not adopted', async () => {
    const target = await Target.open()
    const rate = await target.send('POST', '/v1/tax_rates', { display_name: 'VAT', percentage: 20, inclusive: false })
    const catalog = catalogOf('tax_rates: { a: { display_name: VAT, percentage: 19, inclusive: false } }')
    expect(lines(await target.plan(catalog, { mapped: { [rate.id ?? '']: 'tax_rate.a' } }))).toEqual([
      'blocked tax_rate.a (adopted_differs)',
    ])
  })

  test('another project’s object is reported as taken and not adopted', async () => {
    const target = await Target.open()
    const metadata = { crossbill_project: 'other', crossbill_address: 'product.p' }
    await target.send('POST', '/v1/products', { id: 'p', name: 'P', metadata })
    const plan = await target.plan(catalogOf('products: { p: { name: P } }'))
    expect(lines(plan)).toEqual(['blocked product.p (natural_key_taken)'])
    expect(plan.blocked[0]?.message).toContain('project other')
  })

  test('a copy that carries our marks is reported, and neither used nor archived', async () => {
    const target = await after('products: { p: { name: P } }')
    const [original] = await target.list('/v1/products')
    const sandboxed = (original?.['metadata'] ?? {}) as Record<string, string>
    await target.account.send({
      method: 'POST',
      path: '/v1/products',
      params: { id: 'copy', name: 'P', metadata: sandboxed },
      idempotencyKey: 'copy',
    })
    const live = new Map(await target.live())
    const later = (live.get('product') ?? []).map((one) =>
      one.id === 'copy' ? { ...one, created: Number(one['created']) + 60 } : one,
    )
    target.seen = new Map([...live, ['product', later]])
    expect(lines(await target.plan(catalogOf('products: { p: { name: P } }')))).toEqual([
      'drift product.p (duplicate_mark)',
    ])
  })
})

describe('an entry under a new key', () => {
  test('keeps its object when a lookup key, code or url identifies it', async () => {
    const target = await after(
      `${monthly}\nwebhook_endpoints: { h: { url: "https://x.test/h", enabled_events: ["*"], secret_to: { file: s } } }`,
    )
    const renamed = catalogOf(
      `${monthly.replace('a: {', 'b: {')}\nwebhook_endpoints: { g: { url: "https://x.test/h", enabled_events: ["*"], secret_to: { file: s } } }`,
    )
    const plan = await target.plan(renamed)
    expect(lines(plan)).toEqual(['update price.b (marks)', 'update webhook_endpoint.g (marks)'])
    await target.apply(plan)
    expect(lines(await target.plan(renamed))).toEqual([])
  })

  test('a lookup key moves from one price to another, in either order of their keys', async () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const target = await after(monthly.replace('a: {', `${from}: {`))
      const second = `, ${to}: { product: p, currency: usd, unit_amount: 100, recurring: { interval: month }, lookup_key: monthly }`
      const moved = catalogOf(monthly.replace('a: {', `${from}: {`).replace(', lookup_key: monthly }', ` }${second}`))
      const plan = await target.plan(moved)
      expect(plan.blocked).toEqual([])
      await target.apply(plan)
      expect(lines(await target.plan(moved))).toEqual([])
      expect((await target.list('/v1/prices')).filter((one) => one['lookup_key'] === 'monthly')).toHaveLength(1)
    }
  })

  test('keeps it when the project maps it', async () => {
    const target = await after('tax_rates: { a: { display_name: VAT, percentage: 19, inclusive: false } }')
    const [rate] = await target.list('/v1/tax_rates')
    const renamed = catalogOf('tax_rates: { b: { display_name: VAT, percentage: 19, inclusive: false } }')
    expect(lines(await target.plan(renamed))).toEqual([
      'create tax_rate.b (declared)',
      'retire tax_rate.a (no longer declared)',
    ])
    expect(lines(await target.plan(renamed, { mapped: { [rate?.id ?? '']: 'tax_rate.b' } }))).toEqual([
      'adopt tax_rate.b (marks)',
    ])
  })
})

describe('changes made outside', () => {
  test('an object deleted outside is created again', async () => {
    const target = await after('coupons: { c: { percent_off: 20 } }')
    await target.send('DELETE', '/v1/coupons/c')
    expect(lines(await target.plan(catalogOf('coupons: { c: { percent_off: 20 } }')))).toEqual([
      'create coupon.c (declared)',
      'drift coupon.c (gone)',
    ])
  })

  test('a field changed outside is drift and restored; a field changed in the YAML is not drift', async () => {
    const target = await after('products: { p: { name: P } }')
    await target.send('POST', '/v1/products/p', { name: 'Renamed' })
    const plan = await target.plan(catalogOf('products: { p: { name: P } }'))
    expect(lines(plan)).toEqual(['update product.p (name)', 'drift product.p (changed_outside)'])
    expect(plan.drift[0]?.patch).toEqual([{ op: 'replace', path: '/name', value: 'Renamed', was: 'P' }])
    expect(plan.changes[0]?.patch).toEqual([{ op: 'replace', path: '/name', value: 'P', was: 'Renamed' }])
    expect(lines(await target.plan(catalogOf('products: { p: { name: Q } }')))).toEqual(['update product.p (name)'])
  })

  test('removed marks are restored', async () => {
    const target = await after('products: { p: { name: P } }')
    await target.send('POST', '/v1/products/p', { metadata: { crossbill_project: null, crossbill_address: null } })
    expect(lines(await target.plan(catalogOf('products: { p: { name: P } }')))).toEqual(['update product.p (marks)'])
  })
})

describe('objects with history stay', () => {
  test('a redeemed coupon only loses its marks, an unused one is deleted', async () => {
    const target = await after('coupons: { used: { percent_off: 20, duration: forever }, unused: { percent_off: 10 } }')
    await target.send('POST', '/v1/customers', { email: 'a@x.test' })
    const [customer] = await target.list('/v1/customers')
    const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'T' })
    const { id: price = '' } = await target.send('POST', '/v1/prices', {
      product,
      currency: 'usd',
      unit_amount: 100,
      recurring: { interval: 'month' },
    })
    await target.send('POST', '/v1/subscriptions', {
      customer: customer?.id ?? '',
      items: [{ price }],
      discounts: [{ coupon: 'used' }],
      collection_method: 'send_invoice',
      days_until_due: 7,
    })
    const plan = await target.plan(catalogOf(''))
    expect(plan.changes.flatMap(({ steps }) => steps.map(({ method, path }) => `${method} ${path}`))).toEqual([
      'DELETE /v1/coupons/unused',
      'POST /v1/coupons/used',
    ])
    await target.apply(plan)
    expect(lines(await target.plan(catalogOf('')))).toEqual([])
    expect((await target.list('/v1/coupons')).map(({ id }) => id)).toEqual(['used'])
    expect(lines(await target.plan(catalogOf('coupons: { used: { percent_off: 20, duration: forever } }')))).toEqual([
      'update coupon.used (marks)',
    ])
  })

  test('products and prices are archived, never deleted; webhook endpoints are disabled', async () => {
    const hook = 'webhook_endpoints: { h: { url: "https://x.test/h", enabled_events: ["*"], secret_to: { file: s } } }'
    const target = await after(`${monthly}\n${hook}`)
    const plan = await target.plan(catalogOf(''))
    expect(plan.changes.flatMap(({ steps }) => steps.map(({ method, params }) => [method, params]))).toEqual([
      ['POST', { disabled: true }],
      ['POST', { active: false }],
      ['POST', { active: false }],
    ])
  })
})
