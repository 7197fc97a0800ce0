import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { memberOf, stageAt, subscribe } from './stage.ts'

/** Sources of the customer on both sides, as older accounts have them beside payment methods. */
async function withSources(old: string | null, copied: string | null) {
  const stage = await stageAt('2026-01-15T08:00:00Z')
  const member = await memberOf(stage)
  await subscribe(stage, member)
  await stage.advance('2026-02-20T00:00:00Z')
  await stage.copy()
  stage.copied.push([member, 'card_old', member, 'card_copied'])
  const patch = (customers: ReadonlyMap<string, Stripe.Customer>, default_source: string | null) =>
    new Map([...customers].map(([id, one]) => [id, { ...one, default_source }]))
  stage.tampers.push((live) => ({
    ...live,
    target: { ...live.target, customers: patch(live.target.customers, copied) },
    sources: new Map([...live.sources].map(([name, one]) => [name, { ...one, customers: patch(one.customers, old) }])),
  }))
  return present((await stage.classify('target'))[0], 'subscriber')
}

test('a newer method goes before the copy of an older card that the customer kept as their source, as it does in the old account', async () => {
  const found = await withSources('card_old', 'card_copied')
  expect(found.outcome).toBe('move')
  const steps = 'plan' in found ? found.plan.steps : []
  expect(steps.find(({ id }) => id === 'carry-customer')?.params).toMatchObject({
    invoice_settings: { default_payment_method: expect.stringMatching(/^pm_/) as string },
  })
})

test.each([
  ['that is none of the copies', 'card_old', 'card_of_theirs'],
  ['that was not their default', null, 'card_copied'],
])('a source in the target %s is not overruled', async (_, old, copied) => {
  expect(await withSources(old, copied)).toMatchObject({
    outcome: 'blocked',
    reasons: [{ code: 'payment_default_differs' }],
  })
})
