import { expect, test } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { catalogOf, lines, Target } from './target.ts'

const coupon = (percent: number, code: string) =>
  catalogOf(
    `coupons: { c: { percent_off: ${percent}, duration: forever } }\npromotion_codes: { w: { code: W, promotion: { coupon: c }${code} } }`,
  )

test('promise: nothing silent, and nothing untrue: a code beside a replaced coupon was not changed outside', async () => {
  const target = await Target.open()
  await target.apply(await target.plan(coupon(20, ', protect: true')))
  const changed = coupon(25, ', protect: true')
  await target.apply(await target.plan(changed))
  const plan = await target.plan(changed)
  expect(lines(plan)).toEqual(['blocked promotion_code.w (protected)'])
  // A person who changes the code is still named.
  const code = plan.ids.get('promotion_code.w') ?? ''
  await target.send('POST', `/v1/promotion_codes/${code}`, { metadata: { by: 'hand' } })
  expect(lines(await target.plan(changed))).toEqual([
    'drift promotion_code.w (changed_outside)',
    'blocked promotion_code.w (protected)',
  ])
})

test('an expired code stays as it is when its coupon is replaced, because nobody can redeem it', async () => {
  const sandbox = createSandbox()
  const target = new Target(
    await connectAccount({ name: 'target', key: 'sk_test_sandbox_target', fetch: sandbox.fetch }),
  )
  const expiring = ', expires_at: 2026-12-05T00:00:00Z'
  await target.apply(await target.plan(coupon(20, expiring)))
  const body = JSON.stringify({ to: '2026-12-06T00:00:00Z' })
  await sandbox.fetch('https://sandbox/_sandbox/clock', { method: 'POST', body })
  await target.account.send({ method: 'GET', path: '/v1/account' })
  expect(lines(await target.plan(coupon(20, expiring)))).toEqual([])
  const plan = await target.plan(coupon(25, expiring))
  expect(lines(plan)).toEqual(['replace coupon.c (percent_off)'])
  await target.apply(plan)
  expect(lines(await target.plan(coupon(25, expiring)))).toEqual([])
  // A change of the code itself still needs another one, which Stripe would refuse.
  expect(lines(await target.plan(coupon(25, `${expiring}, max_redemptions: 3`)))).toEqual([
    'blocked promotion_code.w (time_passed)',
  ])
  expect(lines(await target.plan(coupon(25, ', expires_at: 2027-12-01T00:00:00Z')))).toEqual([
    'replace promotion_code.w (promotion, expires_at)',
  ])
})
