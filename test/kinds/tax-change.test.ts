import { describe, expect, test } from 'vitest'
import { isJsonObject } from '../../src/core/json.ts'
import { catalogOf, lines, Target } from './target.ts'

function rate(rest: string): string {
  return `products: { p: { name: P } }
prices: { a: { product: p, currency: usd, unit_amount: 4900, recurring: { interval: month } } }
tax_rates: { vat: { display_name: VAT, inclusive: false, ${rest} }, city: { display_name: City, inclusive: false, percentage: 1 } }`
}

/** A target with one subscriber taxed as a whole and one by item, each also with another rate. */
async function taxed(anchorAhead = false): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(rate('percentage: 8.25'))))
  const [price] = await target.list('/v1/prices')
  const rates = await target.list('/v1/tax_rates')
  const of = (name: string): string => rates.find((one) => one['display_name'] === name)?.id ?? ''
  const both = [of('City'), of('VAT')]
  const anchor = anchorAhead ? { billing_cycle_anchor: target.account.now() + 86_400, proration_behavior: 'none' } : {}
  for (const byItem of [false, true]) {
    const { id: customer = '' } = await target.send('POST', '/v1/customers', { email: 'a@x.test' })
    await target.send('POST', '/v1/subscriptions', {
      customer,
      items: [{ price: price?.id ?? '', ...(byItem ? { tax_rates: both } : {}) }],
      ...(byItem ? {} : { default_tax_rates: both }),
      collection_method: 'send_invoice',
      days_until_due: 7,
      ...anchor,
    })
  }
  await target.readSubscriptions()
  return target
}

/** The percentages that each subscription is billed with. */
function billed(target: Target): readonly (readonly number[])[] {
  return target.subscriptions
    .map(({ default_tax_rates: own, items }) => [...(own ?? []), ...(items.data[0]?.tax_rates ?? [])])
    .map((rates) => rates.map(({ percentage }) => percentage))
}

describe('a changed tax rate says what happens to its subscribers', () => {
  test('without on_change the plan refuses', async () => {
    const target = await taxed()
    const plan = await target.plan(catalogOf(rate('percentage: 8.5')))
    expect(lines(plan)).toEqual(['blocked tax_rate.vat (tax_change_unsaid)'])
    expect(plan.blocked[0]?.message).toBe('2 subscription(s) use this tax rate, and percentage would change')
  })

  test('new_only: they keep the old rate', async () => {
    const target = await taxed()
    const catalog = catalogOf(rate('percentage: 8.5, on_change: new_only'))
    const plan = await target.plan(catalog)
    expect(lines(plan)).toEqual(['replace tax_rate.vat (percentage)'])
    await target.apply(plan)
    await target.readSubscriptions()
    expect(billed(target)).toEqual([
      [1, 8.25],
      [1, 8.25],
    ])
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('at_renewal: they get the new rate in its place, without an invoice, and keep their other rates', async () => {
    const target = await taxed()
    const catalog = catalogOf(rate('percentage: 8.5, on_change: at_renewal'))
    const plan = await target.plan(catalog)
    expect(plan.changes[0]?.people).toBe(2)
    const before = (await target.list('/v1/invoices')).length
    await target.apply(plan)
    await target.readSubscriptions()
    expect(billed(target)).toEqual([
      [1, 8.5],
      [1, 8.5],
    ])
    expect(await target.list('/v1/invoices')).toHaveLength(before)
    expect(lines(await target.plan(catalog))).toEqual([])
  })

  test('at_renewal waits while a first billing date is ahead, because an update may remove a discount', async () => {
    const target = await taxed(true)
    const plan = await target.plan(catalogOf(rate('percentage: 8.5, on_change: at_renewal')))
    expect(lines(plan)).toEqual(['blocked tax_rate.vat (tax_change_not_yet)'])
  })

  test('a run that was killed between two subscribers finishes with the others', async () => {
    const target = await taxed()
    const catalog = catalogOf(rate('percentage: 8.5, on_change: at_renewal'))
    const plan = await target.plan(catalog)
    const [change] = plan.changes
    const steps = change?.steps.slice(0, 2) ?? []
    await target.apply({ ...plan, changes: change === undefined ? [] : [{ ...change, steps }] })
    await target.readSubscriptions()
    const rest = await target.plan(catalog)
    expect(rest.changes.map(({ action, people }) => `${action} ${people}`)).toEqual(['replace 1'])
    expect(rest.changes[0]?.patch).toMatchObject([{ path: '/percentage', was: 8.25, value: 8.5 }])
    await target.apply(rest)
    await target.readSubscriptions()
    expect(
      billed(target)
        .flat()
        .filter((one) => one === 8.25),
    ).toEqual([])
    expect(lines(await target.plan(catalog))).toEqual([])
    const marked = (await target.list('/v1/tax_rates')).filter(
      ({ metadata }) => isJsonObject(metadata) && metadata['crossbill_address'] === 'tax_rate.vat',
    )
    expect(marked).toHaveLength(1)
  })
})
