import { describe, expect, test } from 'vitest'
import { catalogOf, lines, Target } from './target.ts'

async function applied(text: string): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(text)))
  return target
}

const coupon = (percent: number, more = '') => `coupons: { staff: { percent_off: ${percent}${more} } }\n`

async function notices(target: Target, text: string): Promise<readonly string[]> {
  return (await target.plan(catalogOf(text))).notices.map(({ code, message }) => `${code} ${message}`)
}

describe('a replaced coupon stays redeemable', () => {
  test('the plan says so, with the new id and the codes of others, until it is deleted', async () => {
    const target = await applied(coupon(90))
    await target.send('POST', '/v1/promotion_codes', { promotion: { type: 'coupon', coupon: 'staff' }, code: 'LEAK' })
    const plan = await target.plan(catalogOf(coupon(10)))
    expect(plan.notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^the coupon staff is replaced by staff-[0-9a-f]{8} and stays in use .* also by the promotion code LEAK$/,
      ),
    ])
    await target.apply(plan)
    expect(await notices(target, coupon(10))).toEqual([
      'former_in_use the coupon staff was replaced and stays in use: it can still be redeemed, also by the promotion code LEAK',
    ])
    await target.send('DELETE', '/v1/coupons/staff', {})
    expect(await notices(target, coupon(10))).toEqual([])
  })

  test('under another id, too', async () => {
    const target = await applied(coupon(90))
    expect(await notices(target, coupon(90, ', id: STAFF'))).toEqual([
      'former_in_use the coupon staff is replaced by STAFF and stays in use under its own id: it can still be redeemed',
    ])
  })

  test.each([
    ['retire: true', coupon(10, ', retire: true')],
    ['removed:', 'removed: [coupon.staff]\n'],
  ])('%s deletes all of them, and nothing is left to do', async (_word, text) => {
    const target = await applied(coupon(90))
    await target.apply(await target.plan(catalogOf(coupon(20))))
    await target.apply(await target.plan(catalogOf(coupon(10))))
    const plan = await target.plan(catalogOf(text))
    expect(lines(plan)).toEqual(Array(3).fill('retire coupon.staff (no longer declared)'))
    await target.apply(plan)
    expect(await target.list('/v1/coupons')).toEqual([])
    expect(lines(await target.plan(catalogOf(text)))).toEqual([])
  })

  test('an earlier one comes back with its values', async () => {
    const target = await applied(coupon(90))
    for (const percent of [20, 90]) await target.apply(await target.plan(catalogOf(coupon(percent))))
    expect(await notices(target, coupon(20))).toHaveLength(2)
    expect(lines(await target.plan(catalogOf(coupon(90))))).toEqual([])
  })

  test('one that members have is named as long as it is there, and blocks nothing', async () => {
    const target = await applied(coupon(90))
    await target.apply(await target.plan(catalogOf(coupon(10))))
    const live = new Map(await target.live())
    const redeemed = (live.get('coupon') ?? []).map((one) => ({ ...one, times_redeemed: one.id === 'staff' ? 3 : 0 }))
    target.seen = live.set('coupon', redeemed)
    const plan = await target.plan(catalogOf(coupon(10, ', retire: true')))
    expect(lines(plan)).toEqual(['retire coupon.staff (no longer declared)'])
    expect(plan.notices.map(({ code }) => code)).toEqual(['former_in_use'])
    target.seen = live.set(
      'coupon',
      redeemed.filter(({ id }) => id === 'staff'),
    )
    const after = await target.plan(catalogOf(coupon(10, ', retire: true')))
    expect([lines(after), after.notices.map(({ code }) => code)]).toEqual([[], ['former_in_use']])
  })

  test('a product that got another id: removed: archives both', async () => {
    const product = (id: string) => `products: { p: { name: P, id: ${id} } }\n`
    const target = await applied(product('one'))
    expect(await notices(target, product('two'))).toEqual([
      'former_in_use the product one is replaced by two and stays in use under its own id',
    ])
    await target.apply(await target.plan(catalogOf(product('two'))))
    await target.apply(await target.plan(catalogOf('removed: [product.p]\n')))
    expect(await target.list('/v1/products', { active: true })).toEqual([])
  })
})

test('what is counted begins again at 0 with a replacement: coupon, promotion code, payment link', async () => {
  const text = (percent: number, amount: number) => `
products: { p: { name: P } }
prices: { m: { product: p, currency: usd, unit_amount: ${amount} } }
coupons: { c: { percent_off: ${percent}, max_redemptions: 2 } }
promotion_codes: { x: { code: XX, max_redemptions: 1, promotion: { coupon: c } } }
payment_links: { l: { line_items: [{ price: m, quantity: 1 }], restrictions: { completed_sessions: { limit: 5 } } } }
`
  const target = await applied(text(90, 100))
  const live = new Map(await target.live())
  const used = (name: 'coupon' | 'promotion_code') =>
    live.set(
      name,
      (live.get(name) ?? []).map((one) => ({ ...one, times_redeemed: 1 })),
    )
  used('coupon')
  used('promotion_code')
  live.set(
    'payment_link',
    (live.get('payment_link') ?? []).map((one) => ({
      ...one,
      restrictions: { completed_sessions: { count: 4, limit: 5 } },
    })),
  )
  target.seen = live
  expect(await notices(target, text(90, 100))).toEqual([])
  const said = (await notices(target, text(80, 200))).filter((one) => one.startsWith('count_begins_again'))
  expect(said).toEqual([
    'count_begins_again c, which it replaces, was used 1 of 2 times; the new one counts from 0 and can be used 2 times',
    expect.stringMatching(/promo_\w+, which it replaces, was used 1 of 1 times; .* can be used 1 time$/),
    expect.stringMatching(/plink_\w+, which it replaces, was used 4 of 5 times; .* can be used 5 times$/),
  ])
})

test('a limited coupon that was deleted outside is counted from 0 again, and the plan says so', async () => {
  const text = coupon(90, ', max_redemptions: 1')
  const target = await applied(text)
  await target.send('DELETE', '/v1/coupons/staff', {})
  expect(await notices(target, text)).toEqual([
    'count_begins_again it was deleted outside Crossbill and is created again; the new one counts from 0 and can be used 1 time',
  ])
})
