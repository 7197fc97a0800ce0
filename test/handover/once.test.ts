import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { drive } from './drive.ts'
import { memberOf, stageAt, subscribe, type Stage } from './stage.ts'

/** A customer whose discount applies once, as in older accounts. */
function onceForAll(stage: Stage): void {
  const coupon = {
    id: 'first-one',
    object: 'coupon',
    percent_off: null,
    amount_off: 1_000,
    currency: 'usd',
    duration: 'once',
  }
  const discount = { id: 'di_1', source: { type: 'coupon', coupon }, end: null, promotion_code: null }
  stage.tampers.push((live) => ({
    ...live,
    sources: new Map(
      [...live.sources].map(([name, account]) => [
        name,
        {
          ...account,
          customers: new Map(
            [...account.customers].map(([id, one]) => [id, { ...one, discount } as unknown as Stripe.Customer]),
          ),
        },
      ]),
    ),
  }))
}

/** The discounts that the creation of each subscriber's successor would name, by subscription. */
async function discountsOf(stage: Stage): Promise<Readonly<Record<string, unknown>>> {
  const all = await stage.classify('target')
  return Object.fromEntries(
    all.map((one) => [
      one.key.slice('us/'.length),
      'plan' in one ? (one.plan.steps.find(({ id }) => id === 'create')?.params['discounts'] ?? []) : one.outcome,
    ]),
  )
}

test('a discount that applies once applies only to the customer’s earliest renewal, even if that subscription was moved before and has renewed', async () => {
  const stage = await stageAt('2026-01-10T08:00:00Z')
  const member = await memberOf(stage)
  const first = await subscribe(stage, member)
  await stage.advance('2026-01-20T08:00:00Z')
  const second = await subscribe(stage, member, { price: 'addon' })
  const asPulled = () => {
    for (const id of [first, second]) stage.subscribers.set(id, { discounts: [{ coupon: 'first-one' }] })
  }
  asPulled()
  await stage.advance('2026-02-01T00:00:00Z')
  await stage.copy()
  onceForAll(stage)
  const carried = [{ coupon: { $ref: 'coupon.first-one' } }]
  expect(await discountsOf(stage)).toEqual({ [first]: carried, [second]: [] })
  // The move without what no request can change: a real read computes the fingerprint.
  const untouched = stage.tampers.splice(0)
  for (const id of [first, second]) stage.subscribers.set(id, {})
  const real = present((await stage.classify('target'))[0], 'subscriber')
  if (real.outcome !== 'move') throw new Error(JSON.stringify(real))
  expect((await drive(stage, real.plan)).state.phase).toBe('moved')
  stage.tampers.push(...untouched)
  asPulled()
  expect(await discountsOf(stage)).toEqual({ [first]: 'unchanged', [second]: [] })
  await stage.advance('2026-02-12T00:00:00Z')
  // It renewed on hold without a charge, and the customer's discount may still exist.
  expect(await discountsOf(stage)).toEqual({ [first]: 'unchanged', [second]: [] })
})
