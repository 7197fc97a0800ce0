import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { memberOf, stageAt, subscribe } from './stage.ts'

/**
 * Sources of the customer on both sides, as older accounts have them beside payment methods; the
 * steps of the move, or the reasons against it.
 */
async function withSources(old: string | null, copied: string | null): Promise<string> {
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
  const found = present((await stage.classify('target'))[0], 'subscriber')
  if (found.outcome === 'blocked') return found.reasons.map(({ code }) => code).join()
  const carried = 'plan' in found ? found.plan.steps.find(({ id }) => id === 'carry-customer') : undefined
  return JSON.stringify(carried?.params)
}

test('a newer method has priority over the copy of an older card that the customer kept as their source, as it does in the old account', async () => {
  expect(await withSources('card_old', 'card_copied')).toMatch(
    /^{"invoice_settings":{"default_payment_method":"pm_\w+"}}$/,
  )
})

test.each([
  ['that is none of the copies', 'card_old', 'card_of_theirs'],
  ['that was not their default', null, 'card_copied'],
])('a source in the target %s is not overruled', async (_, old, copied) => {
  expect(await withSources(old, copied)).toBe('payment_default_differs')
})
