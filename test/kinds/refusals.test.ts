import { describe, expect, test } from 'vitest'
import { resourceBlockedCodes } from '../../src/plan/resources/codes.ts'
import { catalogOf, lines, Target } from './target.ts'

describe('what Stripe cannot do is refused before anything is sent', () => {
  test('our own id cannot be used for another object', async () => {
    const target = await Target.open()
    const coupon = (percent: number) => catalogOf(`coupons: { c: { id: SAVE, percent_off: ${percent} } }`)
    await target.apply(await target.plan(coupon(20)))
    expect(lines(await target.plan(coupon(25)))).toEqual(['blocked coupon.c (id_taken)'])
    const other = catalogOf('coupons: { c: { id: SAVE25, percent_off: 25 } }')
    await target.apply(await target.plan(other))
    expect(lines(await target.plan(other))).toEqual([])
  })

  test('an archived feature cannot be restored', async () => {
    const target = await Target.open()
    const feature = (active: boolean) => catalogOf(`features: { f: { name: F, lookup_key: f, active: ${active} } }`)
    await target.apply(await target.plan(feature(true)))
    await target.apply(await target.plan(feature(false)))
    const plan = await target.plan(feature(true))
    expect(lines(plan)).toEqual(['blocked feature.f (cannot_change)'])
    expect(plan.blocked[0]?.fix).toContain('lookup_key')
  })

  test('the default portal of an account is not deactivated, whether it exists or would be the first', async () => {
    const target = await Target.open()
    const portal = (key: string, rest: string) =>
      `portal_configurations: { ${key}: { features: { invoice_history: { enabled: true } }${rest} } }`
    const blocked = ['blocked portal_configuration.a (cannot_change)']
    expect(lines(await target.plan(catalogOf(portal('a', ', active: false'))))).toEqual(blocked)
    await target.apply(await target.plan(catalogOf(portal('a', ''))))
    expect(lines(await target.plan(catalogOf(portal('a', ', active: false'))))).toEqual(blocked)
    target.known = []
    const second = portal('b', ', active: false')
    await target.apply(await target.plan(catalogOf(second)))
    expect(lines(await target.plan(catalogOf(second)))).toEqual([])
  })

  test('the lookup key of a foreign price is not taken', async () => {
    const target = await Target.open()
    const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'T' })
    await target.send('POST', '/v1/prices', { product, currency: 'usd', unit_amount: 1, lookup_key: 'k' })
    const plan = await target.plan(
      catalogOf(
        'products: { p: { name: P } }\nprices: { a: { product: p, currency: usd, unit_amount: 2, lookup_key: k } }',
      ),
    )
    expect(lines(plan)).toEqual(['create product.p (declared)', 'blocked price.a (foreign_object)'])
  })

  test('an object without marks is named by its entry', async () => {
    const meters = (first: string, second: string) =>
      catalogOf(
        `meters: { ma: { display_name: A, event_name: ${first}, default_aggregation: { formula: count } }, mb: { display_name: B, event_name: ${second}, default_aggregation: { formula: sum } } }`,
      )
    const target = await Target.open()
    await target.apply(await target.plan(meters('a', 'b')))
    const leftOut = [{ address: 'meter.mb', kind: 'meter', key: 'mb', findings: [] }] as const
    const { blocked } = await target.plan(
      { ...meters('b', 'c'), resources: meters('b', 'c').resources.slice(0, 1) },
      { leftOut },
    )
    expect(blocked.map(({ code, message }) => [code, message])).toEqual([
      ['natural_key_taken', expect.stringMatching(/it belongs to meter\.mb$/)],
    ])
  })

  test('a promotion code that a person took out of use and made again', async () => {
    const target = await Target.open()
    const coupons = 'coupons: { c: { percent_off: 20 }, d: { percent_off: 50 } }\n'
    const code = (rest: string) => catalogOf(`${coupons}promotion_codes: { w: { code: WELCOME${rest} } }`)
    const first = code(', promotion: { coupon: c }')
    await target.apply(await target.plan(first))
    const ours = target.known.find(({ address }) => address === 'promotion_code.w')?.id ?? ''
    await target.send('POST', `/v1/promotion_codes/${ours}`, { active: false })
    const other = await target.send('POST', '/v1/promotion_codes', {
      code: 'WELCOME',
      promotion: { type: 'coupon', coupon: 'd' },
    })
    const plan = await target.plan(first)
    expect(lines(plan)).toEqual([
      'drift promotion_code.w (changed_outside)',
      'blocked promotion_code.w (natural_key_taken)',
    ])
    expect(plan.blocked[0]?.message).toContain(`${other.id}, which Crossbill did not create`)
    // Each way that the message names is possible.
    expect(lines(await target.plan(code(', promotion: { coupon: c }, active: false')))).toEqual([])
    const mapped = { mapped: { [other.id ?? '']: 'promotion_code.w' } }
    const second = code(', promotion: { coupon: d }')
    expect(lines(await target.plan(second)).at(-1)).toBe('blocked promotion_code.w (natural_key_taken)')
    await target.apply(await target.plan(second, mapped))
    expect(lines(await target.plan(second))).toEqual([])
    expect((await target.plan(second)).ids.get('promotion_code.w')).toBe(other.id)
    await target.send('POST', `/v1/promotion_codes/${other.id}`, {
      active: false,
      metadata: { crossbill_project: '', crossbill_address: '' },
    })
    target.known = []
    await target.apply(await target.plan(first))
    expect(lines(await target.plan(first))).toEqual([])
  })

  test('nor is that of another price of ours', async () => {
    const target = await Target.open()
    const price = (rest: string) =>
      catalogOf(`products: { p: { name: P } }\nprices: { a: { product: p, currency: usd, unit_amount: 2${rest} } }`)
    await target.apply(await target.plan(price('')))
    const { id: product = '' } = await target.send('POST', '/v1/products', { name: 'T' })
    await target.send('POST', '/v1/prices', { product, currency: 'usd', unit_amount: 1, lookup_key: 'k' })
    expect(lines(await target.plan(price(', lookup_key: k')))).toEqual(['blocked price.a (natural_key_taken)'])
  })

  test('users of a blocked object wait with it, and nothing is attached to a foreign object', async () => {
    const target = await Target.open()
    await target.send('POST', '/v1/coupons', { id: 'c', percent_off: 50 })
    const sections =
      'coupons: { c: { percent_off: 20 } }\npromotion_codes: { w: { code: WELCOME, promotion: { coupon: c } } }\nproducts: { p: { name: P } }'
    expect(lines(await target.plan(catalogOf(sections)))).toEqual([
      'create product.p (declared)',
      'blocked coupon.c (foreign_object)',
      'blocked promotion_code.w (reference_blocked)',
    ])
  })

  test('an object of ours that cannot be changed can still be used unchanged', async () => {
    const target = await Target.open()
    const coupon = (percent: number, code = '') =>
      catalogOf(`coupons: { c: { id: SAVE, percent_off: ${percent} } }${code}`)
    await target.apply(await target.plan(coupon(20)))
    expect(
      lines(await target.plan(coupon(25, '\npromotion_codes: { w: { code: WELCOME, promotion: { coupon: c } } }'))),
    ).toEqual(['create promotion_code.w (declared)', 'blocked coupon.c (id_taken)'])
  })

  test('every refusal has a fix', () => {
    for (const { meaning, fix } of Object.values(resourceBlockedCodes)) {
      expect(meaning.length).toBeGreaterThan(20)
      expect(fix.length).toBeGreaterThan(10)
    }
  })
})
