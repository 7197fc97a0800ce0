import chalk from 'chalk'
import { expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import type { Catalog } from '../../src/catalog/types.ts'
import { present } from '../../src/core/assert.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { chargesOf } from '../../src/sandbox/stripe/charges.ts'
import { load } from '../catalog/project.ts'
import { clientOf } from '../sandbox/client.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members } from './members.ts'
import { at, openRig, planAndApply, type Rig } from './rig.ts'

vi.setConfig({ testTimeout: 90_000 })

const coupons =
  'coupons:\n  fifth: { percent_off: 20, duration: forever }\n  short: { percent_off: 50, duration: repeating, duration_in_months: 1 }\n'

const catalogOf = (prices: string): Catalog => {
  const { catalog, findings } = load({ 'prices.yaml': `prices:\n${prices}`, 'coupons.yaml': coupons })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

interface Form {
  readonly price: string
  readonly params?: Partial<Stripe.SubscriptionCreateParams>
  readonly quantity?: number
}

/** Subscriptions created in the target on 1 January, read on 20 January. */
async function subscribed(before: string | Catalog, people: Readonly<Record<string, Form>>) {
  const rig = await openRig(typeof before === 'string' ? catalogOf(before) : before, {
    clock: at('2027-01-01T12:00:00Z'),
  })
  await planAndApply(rig.context)
  const target = clientOf(rig.sandbox, 'target')
  const ids: Record<string, string> = {}
  for (const [name, { price, params, quantity }] of Object.entries(people)) {
    const customer = await target.customers.create({
      email: `${name}@example.com`,
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    })
    const id = present(
      (await rig.context.store.objects()).find(({ address }) => address === `price.${price}`)?.id,
      price,
    )
    const items = [{ price: id, ...(quantity === undefined ? {} : { quantity }) }]
    ids[name] = (await target.subscriptions.create({ customer: customer.id, items, ...params })).id
  }
  await rig.advance(at('2027-01-20T12:00:00Z'))
  return { rig, target, ids }
}

const chargedAfter = ({ sandbox }: Rig, from: string): Record<string, string> =>
  Object.fromEntries(
    chargesOf(sandbox.world)
      .filter((one) => one.status === 'succeeded' && one.at >= from && one.subscription !== null)
      .toSorted((a, b) => (a.at < b.at ? 1 : -1))
      .map((one) => [one.subscription ?? '', `${one.amount} ${one.currency}`]),
  )

const before = `  monthly: { product: membership, currency: usd, unit_amount: 1200, recurring: { interval: month } }
  yearly: { product: membership, currency: usd, unit_amount: 12000, recurring: { interval: year } }
  dinar: { product: membership, currency: kwd, unit_amount: 1250, recurring: { interval: month } }
  yen: { product: membership, currency: jpy, unit_amount: 500, recurring: { interval: month, interval_count: 3 } }
  tiered: { product: membership, currency: usd, billing_scheme: tiered, tiers_mode: graduated, tiers: [{ up_to: 2, unit_amount: 1000 }, { up_to: inf, unit_amount: 500, flat_amount: 100 }], recurring: { interval: month } }
`
const after = `  monthly: { product: membership, currency: usd, unit_amount: 1500, recurring: { interval: month }, on_change: at_renewal }
  yearly: { product: membership, currency: usd, unit_amount: 13000, recurring: { interval: year }, on_change: at_renewal }
  dinar: { product: membership, currency: kwd, unit_amount: 2000, recurring: { interval: month }, on_change: at_renewal }
  yen: { product: membership, currency: jpy, unit_amount: 800, recurring: { interval: month, interval_count: 3 }, on_change: at_renewal }
  tiered: { product: membership, currency: usd, billing_scheme: tiered, tiers_mode: graduated, tiers: [{ up_to: 2, unit_amount: 1100 }, { up_to: inf, unit_amount: 600, flat_amount: 200 }], recurring: { interval: month }, on_change: at_renewal }
`

test('money in every plan: a raised price shows who pays how much more and when, which is then charged', async () => {
  const { rig, ids } = await subscribed(before, {
    plain: { price: 'monthly' },
    three: { price: 'monthly', quantity: 3 },
    discounted: { price: 'monthly', params: { discounts: [{ coupon: 'fifth' }] } },
    expiring: { price: 'monthly', params: { discounts: [{ coupon: 'short' }] } },
    leaving: { price: 'monthly', params: { cancel_at_period_end: true } },
    yearly: { price: 'yearly' },
    dinar: { price: 'dinar' },
    yen: { price: 'yen' },
    tiered: { price: 'tiered', quantity: 5 },
  })
  await using _ = rig
  const context = rig.with(catalogOf(after))
  const plan = await makePlan(context)
  const names = new Map(Object.entries(ids).map(([name, id]) => [`target/${id}`, name]))
  const shown = Object.fromEntries(
    plan.money.next_charges.map((one) => [
      names.get(one.subscriber) ?? one.subscriber,
      `${one.at} ${one.before.amount} ${one.amount} ${one.currency} ${one.price ?? ''}`,
    ]),
  )
  expect(shown).toEqual({
    plain: '2027-02-01T12:00:00Z 1200 1500 usd price.monthly',
    three: '2027-02-01T12:00:00Z 3600 4500 usd price.monthly',
    discounted: '2027-02-01T12:00:00Z 960 1200 usd price.monthly',
    expiring: '2027-02-01T12:00:00Z 1200 1500 usd price.monthly',
    yearly: '2028-01-01T12:00:00Z 12000 13000 usd price.yearly',
    dinar: '2027-02-01T12:00:00Z 1250 2000 kwd price.dinar',
    yen: '2027-04-01T12:00:00Z 500 800 jpy price.yen',
    tiered: '2027-02-01T12:00:00Z 3600 4200 usd price.tiered',
  })
  // A member who leaves before the renewal pays the old price until then.
  const usd = 1200 + 3600 + 1200 + 1200 + 1200 + 1000 + 3600
  expect(plan.money.mrr).toEqual({
    usd: { before: usd, after: usd + 300 + 900 + 300 + 300 + 83 + 600 },
    kwd: { before: 1250, after: 2000 },
    jpy: { before: 167, after: 267 },
  })
  const text = planText(plan, chalk)
  expect(text).toContain(`target/${ids['plain']}`)
  expect(text).toMatch(/next charge 15\.00 usd on 2027-02-01 12:00:00 UTC\s+was 12\.00 usd/)
  expect(text).toContain('1.250 kwd   becomes 2.000 kwd')
  const markdown = planMarkdown(plan)
  expect(markdown).toContain(`| \`target/${ids['dinar']}\` | 2.000 kwd on 2027-02-01 12:00:00 UTC | 1.250 kwd |`)
  await planAndApply(context)
  await rig.advance(at('2028-01-05T12:00:00Z'))
  const charged = chargedAfter(rig, '2027-01-20')
  const byName = Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, charged[id] ?? 'nothing']))
  expect(byName).toEqual({
    plain: '1500 usd',
    three: '4500 usd',
    discounted: '1200 usd',
    expiring: '1500 usd',
    leaving: 'nothing',
    yearly: '13000 usd',
    dinar: '2000 kwd',
    yen: '800 jpy',
    tiered: '4200 usd',
  })
  const settled = await makePlan(context)
  expect(settled.money.price_changes).toBeUndefined()
  expect(settled.money.mrr['kwd']).toEqual({ before: 2000, after: 2000 })
})

test('money in every plan: members who keep the old price are named with it, and revenue is unchanged', async () => {
  const { rig, ids } = await subscribed(before, { plain: { price: 'monthly' } })
  await using _ = rig
  const plan = await makePlan(
    rig.with(
      catalogOf(
        after.replace(
          '1500, recurring: { interval: month }, on_change: at_renewal',
          '1500, recurring: { interval: month }, on_change: new_only',
        ),
      ),
    ),
  )
  expect(plan.money.mrr['usd']).toEqual({ before: 1200, after: 1200 })
  expect(plan.money.next_charges).toEqual([])
  expect(plan.money.price_changes).toMatchObject([
    { address: 'price.monthly', on_change: 'new_only', applies: false, people: 1, subscribers: [{ amount: 1200 }] },
  ])
  expect(planText(plan, chalk)).toContain('1 subscriber on the old price keeps it (on_change: new_only)')
  expect(planText(plan, chalk)).toContain(`target/${ids['plain']}`)
})

test('money in every plan: a price change without a policy for its subscribers shows its effect on them', async () => {
  const { rig, ids } = await subscribed(before, { plain: { price: 'monthly' } })
  await using _ = rig
  const plan = await makePlan(rig.with(catalogOf(after.replaceAll(', on_change: at_renewal', ''))))
  expect(plan.blocked.map(({ code }) => code)).toEqual(['price_change_unsaid'])
  expect(plan.money.mrr['usd']).toEqual({ before: 1200, after: 1200 })
  expect(plan.money.price_changes).toMatchObject([
    {
      address: 'price.monthly',
      on_change: 'refuse',
      applies: false,
      mrr: { usd: { before: 1200, after: 1500 } },
      subscribers: [{ subscriber: `target/${ids['plain']}`, amount: 1500, before: { amount: 1200 } }],
    },
  ])
  expect(planMarkdown(plan)).toContain('| 15.00 usd on 2027-02-01 12:00:00 UTC | 12.00 usd |')
})

test('promise 12: after a price change of one item that beside it keeps its old price, nothing is reported as changed by the member', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z', beside: 'coaching' }], '2026-10-05T12:00:00Z')
  await planAndApply(school.stage('target'))
  await school.advance('2026-10-25T12:00:00Z')
  const moved = school.at('target')
  const raised = (key: string, unit_amount: number, on_change: string): Catalog['resources'][number][] =>
    moved.resources.map((one) =>
      one.address === `price.${key}` ? { ...one, value: { ...one.value, unit_amount, on_change } } : one,
    )
  const kept = { ...moved, digest: 'kept', resources: raised('coaching', 1900, 'new_only') }
  expect((await planAndApply(school.rig.with(kept), { allow: guardNames })).result).toMatchObject({ ok: true })
  const both = {
    ...kept,
    digest: 'both',
    resources: kept.resources.map((one) =>
      one.address === 'price.monthly'
        ? { ...one, value: { ...one.value, unit_amount: 5900, on_change: 'at_renewal' } }
        : one,
    ),
  }
  const { result } = await planAndApply(school.rig.with(both), { allow: guardNames })
  expect(result).toMatchObject({ ok: true, violations: [] })
  await school.advance('2026-11-25T12:00:00Z')
  const context = school.rig.with(both)
  expect((await verify(context)).violations).toEqual([])
  expect((await makePlan(context)).changes).toEqual([])
  expect((await school.charges())[0]?.at(-1)).toBe('target 2026-11-20T10:15:00Z 7400 usd')
})

test('money in every plan: a raised tax rate counts in every amount that is shown, which is then charged', async () => {
  const catalog = (percentage: number, amount: number): Catalog =>
    present(
      load({
        'prices.yaml': `prices:
  monthly: { product: membership, currency: usd, unit_amount: ${amount}, recurring: { interval: month }, on_change: at_renewal }
  kept: { product: membership, currency: usd, unit_amount: 2000, recurring: { interval: month } }
`,
        'taxes.yaml': `tax_rates: { vat: { display_name: VAT, percentage: ${percentage}, inclusive: false, on_change: at_renewal } }`,
      }).catalog,
      'catalog',
    )
  const { rig, target, ids } = await subscribed(catalog(10, 1000), {
    raised: { price: 'monthly' },
    same: { price: 'kept' },
  })
  await using _ = rig
  const vat = present((await rig.context.store.objects()).find(({ address }) => address === 'tax_rate.vat')?.id, 'vat')
  const [raised = '', same = ''] = [ids['raised'], ids['same']]
  const { items } = await target.subscriptions.retrieve(raised)
  await target.subscriptionItems.update(items.data[0]?.id ?? '', { tax_rates: [vat], proration_behavior: 'none' })
  await target.subscriptions.update(same, { default_tax_rates: [vat], proration_behavior: 'none' })
  const context = rig.with(catalog(20, 1500))
  const plan = await makePlan(context)
  const shown = plan.money.next_charges.map(
    (one) =>
      `${one.price} ${one.subscriber === `target/${raised}` ? 'raised' : 'same'} ${one.before.amount} ${one.amount}`,
  )
  expect(shown.toSorted()).toEqual([
    'price.monthly raised 1100 1800',
    'tax_rate.vat raised 1100 1800',
    'tax_rate.vat same 2200 2400',
  ])
  expect(plan.money.mrr).toEqual({ usd: { before: 3000, after: 3500 } })
  expect(planText(plan, chalk)).toContain(
    '2 subscribers get the new rate at the next renewal (on_change: at_renewal)\n',
  )
  await planAndApply(context)
  await rig.advance(at('2027-02-02T12:00:00Z'))
  expect(chargedAfter(rig, '2027-02-01T00:00:00Z')).toEqual({ [raised]: '1800 usd', [same]: '2400 usd' })
})
