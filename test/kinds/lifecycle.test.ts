import { describe, expect, test } from 'vitest'
import { load } from '../catalog/project.ts'
import { catalogOf, lines, Target } from './target.ts'

const both = `
products: { a: { name: A }, b: { name: B } }
prices: { pa: { product: a, currency: usd, unit_amount: 100 }, pb: { product: b, currency: usd, unit_amount: 200 } }
`
const onlyA = 'products: { a: { name: A } }\nprices: { pa: { product: a, currency: usd, unit_amount: 100 } }\n'

async function applied(text: string): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(text)))
  return target
}

/** The plan that the engine applies, without the objects that are only listed. */
async function withoutRemovals(target: Target, text: string) {
  const plan = await target.plan(catalogOf(text))
  return { ...plan, changes: plan.changes.slice(0, plan.changes.length - plan.removals.length) }
}

async function actives(target: Target): Promise<readonly string[]> {
  const all = [
    ...(await target.list('/v1/products', { active: true })),
    ...(await target.list('/v1/prices', { active: true })),
  ]
  return all.map((one) => (one['metadata'] as unknown as Record<string, string>)['crossbill_address'] ?? '').sort()
}

describe('removing YAML retires nothing by itself', () => {
  test('an object removed from the YAML is listed and stays in use', async () => {
    const target = await applied(both)
    const plan = await withoutRemovals(target, onlyA)
    expect(lines(plan)).toEqual([])
    expect(plan.removed.map(({ address }) => address)).toEqual(['product.b', 'price.pb'])
    expect(plan.removed[0]?.fix).toContain('removed: [product.b]')
    await target.apply(plan)
    expect(await actives(target)).toHaveLength(4)
  })

  test.each([
    [
      'retire: true',
      both
        .replace('{ name: B }', '{ name: B, retire: true }')
        .replace('unit_amount: 200', 'unit_amount: 200, retire: true'),
    ],
    ['a removed: list', `${onlyA}removed: [product.b, price.pb]\n`],
    ['a removed: map', `${onlyA}removed: { product.b: retire, price.pb: retire }\n`],
  ])('%s retires it', async (_word, text) => {
    const target = await applied(both)
    const plan = await withoutRemovals(target, text)
    expect(lines(plan)).toEqual(['retire price.pb (no longer declared)', 'retire product.b (no longer declared)'])
    await target.apply(plan)
    expect(await actives(target)).toEqual(['price.pa', 'product.a'])
    expect(lines(await target.plan(catalogOf(text)))).toEqual([])
    expect((await target.plan(catalogOf(onlyA))).removed).toEqual([])
  })

  test('removed: keep releases the object', async () => {
    const target = await applied(both)
    const plan = await target.plan(catalogOf(`${onlyA}removed: { product.b: keep, price.pb: keep }\n`))
    expect([lines(plan), plan.removed]).toEqual([[], []])
  })
})

describe('protect: true', () => {
  test('survives the removal of the entry, and ends when the entry says so', async () => {
    const target = await applied(both.replace('{ name: B }', '{ name: B, protect: true }'))
    const gone = `${onlyA}removed: [product.b, price.pb]\n`
    expect(lines(await target.plan(catalogOf(gone)))).toEqual([
      'retire price.pb (no longer declared)',
      'blocked product.b (protected)',
    ])
    expect(await target.plan(catalogOf(onlyA))).toMatchObject({ removals: [{ address: 'price.pb' }] })
    const free = both.replace('{ name: B }', '{ name: B, protect: false }')
    const plan = await target.plan(catalogOf(free))
    expect(lines(plan)).toEqual(['update product.b (marks)'])
    await target.apply(plan)
    expect(lines(await target.plan(catalogOf(gone)))).toEqual([
      'retire price.pb (no longer declared)',
      'retire product.b (no longer declared)',
    ])
  })

  const protectedPrice = (said: string, amount = 200): string =>
    both.replace('unit_amount: 200', `unit_amount: ${amount}${said}`)

  test('refuses a replacement', async () => {
    const text = protectedPrice(', protect: true')
    const target = await applied(text)
    expect(lines(await target.plan(catalogOf(text)))).toEqual([])
    const plan = await target.plan(catalogOf(protectedPrice(', protect: true', 300)))
    expect(lines(plan)).toEqual(['blocked price.pb (protected)'])
    expect(plan.blocked[0]?.fix).toBe('restore the earlier values, write protect: false, apply, then make this change')
  })

  test('promise: nothing silent: a lost line does not end it, with the store or without', async () => {
    const target = await applied(
      `${protectedPrice(', protect: true')}coupons: { c: { percent_off: 10, protect: true } }\n`,
    )
    const lost = `${protectedPrice('')}coupons: { c: { percent_off: 10 } }\n`
    const edited = `${protectedPrice('', 300)}coupons: { c: { percent_off: 90 } }\n`
    for (const known of [target.known, []]) {
      target.known = known
      expect(lines(await target.plan(catalogOf(lost)))).toEqual([])
      const plan = await target.plan(catalogOf(edited))
      expect(lines(plan).toSorted()).toEqual(['blocked coupon.c (protected)', 'blocked price.pb (protected)'])
      expect(plan.blocked[0]?.message).toContain('crossbill_protect in its metadata')
    }
  })

  test('ends by protect: false, and a replacement comes after it', async () => {
    const target = await applied(protectedPrice(', protect: true'))
    const atOnce = await target.plan(catalogOf(protectedPrice(', protect: false', 300)))
    expect(lines(atOnce)).toEqual(['blocked price.pb (protected)'])
    const plan = await target.plan(catalogOf(protectedPrice(', protect: false')))
    expect(lines(plan)).toEqual(['update price.pb (marks)'])
    await target.apply(plan)
    expect(lines(await target.plan(catalogOf(protectedPrice(', protect: false'))))).toEqual([])
    expect(lines(await target.plan(catalogOf(protectedPrice('', 300))))).toEqual(['replace price.pb (unit_amount)'])
  })

  test('keeps the rest of an unfinished replacement', async () => {
    const target = await applied(protectedPrice(''))
    await target.apply(await target.plan(catalogOf(protectedPrice('', 300))), 1)
    const old = (await target.list('/v1/prices')).find((one) => one['unit_amount'] === 200)
    await target.send('POST', `/v1/prices/${old?.id}`, { metadata: { crossbill_protect: 'true' } })
    const plan = await target.plan(catalogOf(protectedPrice('', 300)))
    expect(lines(plan)).toEqual(['blocked price.pb (protected)'])
    expect(plan.blocked[0]?.message).toBe(`${old?.id} would be retired, but it is protected`)
  })
})

describe('ignore_fields', () => {
  const said = (more: string): string =>
    `products: { a: { name: A, description: d, metadata: { ours: "1" }${more} } }\n`

  test('changes by other programs are neither shown nor reverted', async () => {
    const target = await applied(said(''))
    const [product] = await target.list('/v1/products')
    await target.send('POST', `/v1/products/${product?.id}`, { description: 'theirs', metadata: { crm_id: '7' } })
    expect(lines(await target.plan(catalogOf(said(''))))).toEqual([
      'update product.a (description, metadata)',
      'drift product.a (changed_outside)',
    ])
    expect(lines(await target.plan(catalogOf(said(', ignore_fields: [description, metadata.crm_id]'))))).toEqual([])
    const edited = said(', ignore_fields: [description, metadata.crm_id]').replace('"1"', '"2"')
    const plan = await target.plan(catalogOf(edited))
    expect(plan.changes[0]?.steps[0]?.params).toEqual({ metadata: { ours: '2' } })
    await target.apply(plan)
    expect(lines(await target.plan(catalogOf(edited)))).toEqual([])
  })

  test('names a field of its kind', () => {
    const { findings } = load({ 'all.yaml': 'products: { a: { name: A, ignore_fields: [descripton] } }' })
    expect(findings.find(({ rule }) => rule === 'lifecycle')).toMatchObject({ fix: 'did you mean "description"?' })
  })
})

describe('observe: true', () => {
  const text =
    'coupons: { theirs: { percent_off: 10, observe: true } }\npromotion_codes: { x: { code: X, promotion: { coupon: theirs } } }\n'

  test('is referred to and never written', async () => {
    const target = await Target.open()
    expect(lines(await target.plan(catalogOf(text)))).toEqual([
      'blocked coupon.theirs (observed_missing)',
      'blocked promotion_code.x (reference_blocked)',
    ])
    await target.send('POST', '/v1/coupons', { id: 'theirs', percent_off: 20, duration: 'once' })
    const plan = await target.plan(catalogOf(text))
    expect(lines(plan)).toEqual(['create promotion_code.x (declared)', 'drift coupon.theirs (observed_differs)'])
    await target.apply(plan)
    expect(target.sent).not.toContain('POST /v1/coupons/theirs')
    const [coupon] = await target.list('/v1/coupons')
    expect(coupon?.['metadata']).toEqual({})
  })
})

describe('moved:', () => {
  test('an entry with another key keeps its object, with the store or without', async () => {
    const text = `tax_rates: { vat: { display_name: VAT, percentage: 19, inclusive: false } }\n${both}`
    const now = text.replace('vat:', 'de-vat:').replace('pb: {', 'b-once: {')
    const moved = `${now}moved: { tax_rate.vat: tax_rate.de-vat, price.pb: price.b-mid, price.b-mid: price.b-once }\n`
    for (const forgets of [false, true]) {
      const target = await applied(text)
      if (forgets) target.known = []
      const plan = await target.plan(catalogOf(moved))
      expect(lines(plan)).toEqual(['update price.b-once (marks)', 'update tax_rate.de-vat (marks)'])
      await target.apply(plan)
      expect(lines(await target.plan(catalogOf(moved)))).toEqual([])
      expect(lines(await target.plan(catalogOf(now)))).toEqual([])
    }
  })

  test('names entries of one kind, where the old one is gone and the new one exists', () => {
    const { findings } = load({
      'all.yaml':
        'products: { a: { name: A } }\nmoved: { product.a: product.b, price.x: product.a, product.c: product.d }',
    })
    expect(findings.filter(({ rule }) => rule === 'lifecycle').map(({ message }) => message)).toEqual([
      'product.a is moved but still has an entry',
      'price.x cannot move to product.a',
      'product.c is moved to product.d, which has no entry',
    ])
  })

  test('and removed: name kinds that exist', () => {
    const { findings } = load({
      'all.yaml': 'products: { a: { name: A } }\nmoved: { prodct.x: product.a }\nremoved: [prices.b, price.c, thing.d]',
    })
    expect(findings.map(({ message, fix }) => `${message}: ${fix?.split(',')[0]}`)).toEqual([
      'moved: names prodct.x, and there is no kind "prodct": did you mean "product.x"?',
      'removed: names prices.b, and there is no kind "prices": did you mean "price.b"?',
      expect.stringContaining('removed: names thing.d, and there is no kind "thing": kinds: '),
    ])
  })
})

describe('words that cannot be done are said with their place', () => {
  interface Said {
    readonly blocked: readonly {
      readonly code: string
      readonly address: string
      readonly position?: string
      readonly message: string
      readonly fix: string
    }[]
    readonly notices: readonly {
      readonly code: string
      readonly subscriber: string
      readonly message: string
      readonly fix: string
    }[]
  }
  const said = ({ blocked, notices }: Said): readonly string[] => [
    ...blocked.map((one) => `${one.code} ${one.address} ${one.position ?? ''}`),
    ...notices.map((one) => `${one.code} ${one.subscriber}`),
  ]

  test('`moved:` onto a key in use changes neither object', async () => {
    const target = await applied(both)
    const text = `products: { a: { name: A }, b: { name: B } }\nprices: { pa: { product: a, currency: usd, unit_amount: 100 } }\nmoved: { price.pb: price.pa }\n`
    const plan = await target.plan(catalogOf(text))
    expect(plan.changes).toEqual([])
    expect(plan.removed).toEqual([])
    expect(said(plan)).toEqual(['moved_key_in_use price.pa catalog/all.yaml:2:11'])
    expect(plan.blocked[0]?.message).toMatch(/object of price\.pb .* \(catalog\/all\.yaml:3:10\)$/)
    expect(await actives(target)).toHaveLength(4)
  })

  test('a renamed price with another amount, killed after each request, is no key in use', async () => {
    const before = 'products: { a: { name: A } }\nprices: { p: { product: a, currency: usd, unit_amount: 100 } }\n'
    const after = `${before.replace('p:', 'q:').replace('unit_amount: 100', 'unit_amount: 150')}moved: { price.p: price.q }\n`
    for (const stop of [0, 1, 2, 3, 4]) {
      const target = await applied(before)
      await target.apply(await target.plan(catalogOf(after)), stop)
      // The store may be lost as well.
      target.known = []
      const plan = await target.plan(catalogOf(after))
      expect(plan.blocked).toEqual([])
      await target.apply(plan)
      expect(lines(await target.plan(catalogOf(after)))).toEqual([])
      expect(await actives(target)).toEqual(['price.q', 'product.a'])
    }
  })

  test('`moved:` with a misspelt old key creates nothing beside the object that was meant', async () => {
    const target = await applied(both)
    const text = both.replace('pb:', 'b-monthly:')
    const plan = await withoutRemovals(target, `${text}moved: { price.pc: price.b-monthly }\n`)
    expect(plan.changes).toEqual([])
    expect(said(plan)).toEqual(['moved_unknown price.b-monthly catalog/all.yaml:3:64'])
    expect(plan.blocked[0]?.fix).toContain('did you mean price.pb?')
    expect(said(await target.plan(catalogOf(`${text}moved: { price.pb: price.b-monthly }\n`)))).toEqual([])
  })

  test('`moved:` in a new account creates the object, and says so until the line is gone', async () => {
    const target = await Target.open()
    const text = `${onlyA}moved: { price.old-name: price.pa }\n`
    const plan = await target.plan(catalogOf(text))
    expect(lines(plan)).toHaveLength(2)
    expect(said(plan)).toEqual(['moved_without_object price.pa'])
    expect(plan.notices[0]?.message).toContain('(catalog/all.yaml:3:10)')
    await target.apply(plan)
    expect(said(await target.plan(catalogOf(text)))).toEqual([])
  })

  test('`retire: true` on an object of somebody else is refused', async () => {
    const target = await Target.open()
    await target.send('POST', '/v1/products', { id: 'b', name: 'B' })
    const plan = await target.plan(catalogOf('products: { b: { name: B, retire: true } }\n'))
    expect(plan.changes).toEqual([])
    expect(said(plan)).toEqual(['retire_not_managed product.b catalog/all.yaml:1:13'])
    expect((await target.list('/v1/products', { active: true })).map(({ id }) => id)).toEqual(['b'])
  })

  test('`retire: true` on nothing is said; on something retired it is silent', async () => {
    const target = await applied(both)
    const text = both.replace('{ product: b,', '{ retire: true, product: b,')
    const wrong = await withoutRemovals(target, text.replace('pb:', 'pbb:'))
    expect(said(wrong)).toEqual(['retire_without_object price.pbb'])
    expect(wrong.notices[0]).toMatchObject({
      message: expect.stringContaining('(catalog/all.yaml:3:') as string,
      fix: 'Delete the entry. Did you mean price.pb?',
    })
    await target.apply(await target.plan(catalogOf(text)))
    target.known = []
    expect(said(await target.plan(catalogOf(text)))).toEqual([])
  })

  test('a misspelt line of removed: is said; one that was applied is silent', async () => {
    const target = await applied(both)
    const wrong = await withoutRemovals(target, `${onlyA}removed: [product.b, price.pbb]\n`)
    expect(said(wrong)).toEqual(['retire_without_object price.pbb'])
    const right = `${onlyA}removed: [product.b, price.pb]\n`
    await target.apply(await target.plan(catalogOf(right)))
    expect(said(await target.plan(catalogOf(right)))).toEqual([])
  })

  test('two keys cannot become one', () => {
    const { findings } = load({
      'all.yaml': 'products: { a: { name: A } }\nmoved: { product.x: product.a, product.y: product.a }\n',
    })
    expect(findings).toMatchObject([
      { rule: 'lifecycle', message: 'product.x and product.y are both moved to product.a', at: { line: 2 } },
    ])
  })
})

test('the default of an account is not said to be retired', async () => {
  const portal = (more = ''): string =>
    `portal_configurations: { p: { name: M, features: { invoice_history: { enabled: true } }${more} } }`
  const target = await applied(portal())
  for (const text of [portal(', retire: true'), 'removed: [portal_configuration.p]']) {
    const plan = await target.plan(catalogOf(text))
    expect(lines(plan)).toEqual(['blocked portal_configuration.p (cannot_change)'])
    expect(plan.blocked[0]?.message).toContain('is the default of its account')
  }
  expect((await target.plan(catalogOf(''))).removals).toEqual([])
  expect(lines(await target.plan(catalogOf(portal())))).toEqual([])
})
