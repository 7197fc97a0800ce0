import { describe, expect, test, vi } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import { instant, type Instant, parseInstant } from '../../src/core/instant.ts'
import type { JsonObject, StripeObject } from '../../src/core/json.ts'
import { failed } from '../../src/core/outcome.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { load } from '../catalog/project.ts'
import { openRig, planAndApply, type Rig } from './rig.ts'

vi.setConfig({ testTimeout: 90_000 })

const at = (text: string): Instant => parseInstant(text) ?? instant(0)

function catalogOf(sections: string): Catalog {
  const { catalog, findings } = load({ 'all.yaml': sections })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

async function listed(rig: Rig, path: string): Promise<readonly StripeObject[]> {
  const all: StripeObject[] = []
  for await (const one of rig.context.accounts.target.list(path, {})) all.push(one)
  return all
}

/** The target refuses the requests of these paths as Stripe does. */
function refusing(context: Context, ...paths: readonly string[]): Context {
  const { target } = context.accounts
  return {
    ...context,
    accounts: {
      ...context.accounts,
      target: {
        ...target,
        send: (request) =>
          request.method === 'POST' && paths.includes(request.path)
            ? Promise.resolve(failed({ kind: 'rejected', code: 'parameter_invalid', message: 'refused', status: 400 }))
            : target.send(request),
      },
    },
  }
}

const code = (more = '', percent = 10): string => `
coupons: { c: { percent_off: ${percent}, duration: forever } }
promotion_codes: { a: { code: AAA, promotion: { coupon: c }${more} } }
`

describe('a replacement that fails takes nothing away', () => {
  test('promise: nothing silent: a code whose successor is refused stays redeemable, and the message says so', async () => {
    await using rig = await openRig(catalogOf(code()))
    await planAndApply(rig.context)
    const [before] = await listed(rig, '/v1/promotion_codes')
    const wrong = rig.with(catalogOf(code(', max_redemptions: 5')))
    const plan = await makePlan(wrong)
    const refused = refusing(wrong, '/v1/promotion_codes')
    for (const context of [refused, refused]) {
      const result = await apply(context, plan)
      expect(result.changes).toMatchObject([
        {
          outcome: 'failed',
          message: `create: refused. ${before?.id} was taken into use again`,
          fix: 'correct the entry, then plan again',
        },
      ])
      expect(await listed(rig, '/v1/promotion_codes')).toEqual([before])
    }
    expect(await makePlan(rig.context)).toMatchObject({ changes: [], drift: [] })
    // The same plan is carried out when Stripe accepts it: the journal does not skip a step.
    expect(await apply(wrong, plan)).toMatchObject({ ok: true })
    const codes = await listed(rig, '/v1/promotion_codes')
    expect(codes.map((one) => [one['active'], one['max_redemptions']])).toEqual([
      [true, 5],
      [false, null],
    ])
  })

  test('what cannot be taken back is named, and is no change by others', async () => {
    await using rig = await openRig(catalogOf(code()))
    await planAndApply(rig.context)
    const [before] = await listed(rig, '/v1/promotion_codes')
    const wrong = rig.with(catalogOf(code(', max_redemptions: 5')))
    const plan = await makePlan(wrong)
    let sent = 0
    const { target } = wrong.accounts
    const context = {
      ...wrong,
      accounts: {
        ...wrong.accounts,
        target: {
          ...target,
          send: (request: Parameters<typeof target.send>[0]) =>
            request.path.startsWith('/v1/promotion_codes') && request.method === 'POST' && ++sent > 1
              ? Promise.resolve(failed({ kind: 'rejected', code: 'no', message: 'refused', status: 400 } as const))
              : target.send(request),
        },
      },
    }
    const result = await apply(context, plan)
    expect(result.changes[0]?.message).toBe(
      `create: refused. ${before?.id} is out of use, and could not be taken into use again: refused`,
    )
    expect(result.changes[0]?.fix).toContain('until then nothing stands for it')
    expect((await makePlan(rig.context)).drift).toEqual([])
    expect((await planAndApply(rig.context)).result).toMatchObject({ ok: true })
    expect(await listed(rig, '/v1/promotion_codes')).toEqual([before])
  })

  const registration = (country: string): string =>
    `tax_registrations: { here: { country: ${country}, country_options: { ${country.toLowerCase()}: { type: standard, standard: { place_of_supply_scheme: standard } } } } }\n`

  test('an ended tax registration cannot come back, and the message says so', async () => {
    await using rig = await openRig(catalogOf(registration('IE')))
    await planAndApply(rig.context)
    const [before] = await listed(rig, '/v1/tax/registrations')
    const moved = rig.with(catalogOf(registration('ES')))
    const { result } = await planAndApply(refusing(moved, '/v1/tax/registrations'))
    expect(result.changes[0]?.message).toBe(
      `create: refused. ${before?.id} is out of use, and Stripe cannot take it back`,
    )
  })

  test.each([
    ['meters', 'event_name: a', 'event_name: b', '{ display_name: M, XX, default_aggregation: { formula: sum } }'],
    ['payment_method_domains', 'domain_name: a.example.com', 'domain_name: b.example.com', '{ XX }'],
    ['payment_method_configurations', 'name: M', 'name: M, parent: pmc_none', '{ XX }'],
  ])('%s come back into use', async (section, one, other, entry) => {
    const text = (value: string): string => `${section}: { m: ${entry.replace('XX', value)} }\n`
    await using rig = await openRig(catalogOf(text(one)))
    await planAndApply(rig.context)
    const path = (await makePlan(rig.with(catalogOf(text(other))))).changes[0]?.steps.at(-1)?.path ?? ''
    const before = await listed(rig, path)
    const { result } = await planAndApply(refusing(rig.with(catalogOf(text(other))), path))
    expect(result.changes[0]?.message).toContain('was taken into use again')
    const shape = (objects: readonly StripeObject[]): readonly JsonObject[] =>
      objects.map(({ updated: _updated, status_transitions: _times, ...rest }) => rest)
    expect(shape(await listed(rig, path))).toEqual(shape(before))
  })
})

describe('what Stripe would refuse is refused before the first request', () => {
  test.each([
    ['a code that expires in the past', ', expires_at: 2026-10-01T00:00:00Z', 10, 'expires_at'],
    ['a code of a coupon that expired', ', max_redemptions: 5', 20, 'c can no longer be redeemed'],
  ])('%s', async (_name, more, percent, why) => {
    const limited = (text: string): string => text.replace('forever', 'forever, redeem_by: 2026-12-05T00:00:00Z')
    const base = percent === 10 ? code() : limited(code())
    await using rig = await openRig(catalogOf(base), { clock: at('2026-12-01T00:00:00Z') })
    await planAndApply(rig.context)
    await rig.advance(at('2026-12-10T00:00:00Z'))
    const before = await listed(rig, '/v1/promotion_codes')
    const sent = rig.sent.length
    const wrong = rig.with(catalogOf(percent === 10 ? code(more) : limited(code(more))))
    const { plan, result } = await planAndApply(wrong)
    expect(plan.blocked).toMatchObject([{ address: 'promotion_code.a', code: 'time_passed' }])
    expect(plan.blocked[0]?.message).toContain(why)
    expect(result.changes).toEqual([])
    expect(rig.sent).toHaveLength(sent)
    expect(await listed(rig, '/v1/promotion_codes')).toEqual(before)
  })

  test.each([
    ['coupons: { c: { percent_off: 5, duration: once, redeem_by: 2026-11-30T00:00:00Z } }\n'],
    [
      'tax_registrations: { ie: { country: IE, active_from: 2026-11-30T00:00:00Z, country_options: { ie: { type: standard, standard: { place_of_supply_scheme: standard } } } } }\n',
    ],
    [code(', expires_at: 2026-11-30T00:00:00Z')],
  ])('a first creation: %s', async (text) => {
    await using rig = await openRig(catalogOf(text), { clock: at('2026-12-01T00:00:00Z') })
    const plan = await makePlan(rig.context)
    expect(plan.blocked).toMatchObject([{ code: 'time_passed' }])
  })

  test('a code that outlives its coupon', () => {
    const text = code(', expires_at: 2026-12-06T00:00:00Z').replace(
      'forever',
      'forever, redeem_by: 2026-12-05T00:00:00Z',
    )
    expect(load({ 'all.yaml': text }).findings).toMatchObject([{ rule: 'promotion-expiry' }])
    expect(load({ 'all.yaml': text.replace('12-06', '12-05') }).findings).toEqual([])
  })
})

describe('promise: convergence: a code that its coupon ends needs no change', () => {
  const entries = (limit: string): string => `
products: { p: { name: P } }
prices: { m: { product: p, currency: usd, unit_amount: 1000, recurring: { interval: month } } }
coupons: { c: { percent_off: 10, duration: forever, ${limit} } }
promotion_codes:
  on: { code: ON, promotion: { coupon: c } }
  off: { code: OFF, active: false, promotion: { coupon: c } }
`

  test.each([['redeem_by: 2026-12-05T00:00:00Z'], ['max_redemptions: 1']])('%s', async (limit) => {
    await using rig = await openRig(catalogOf(entries(limit)), { clock: at('2026-12-01T00:00:00Z') })
    await planAndApply(rig.context)
    const { target } = rig.context.accounts
    if (limit.startsWith('redeem')) await rig.advance(at('2026-12-10T00:00:00Z'))
    else {
      const post = async (path: string, params: JsonObject): Promise<StripeObject> => {
        const outcome = await target.send({ method: 'POST', path, params, idempotencyKey: path })
        if (!outcome.ok) throw new Error(outcome.failure.message)
        return outcome.value
      }
      const on = (await listed(rig, '/v1/promotion_codes')).find((one) => one['code'] === 'ON')
      const [price] = await listed(rig, '/v1/prices')
      const customer = await post('/v1/customers', {
        payment_method: 'pm_card_visa',
        invoice_settings: { default_payment_method: 'pm_card_visa' },
      })
      await post('/v1/subscriptions', {
        customer: customer.id ?? '',
        items: [{ price: price?.id ?? '' }],
        discounts: [{ promotion_code: on?.id ?? '' }],
      })
    }
    const codes = await listed(rig, '/v1/promotion_codes')
    expect(codes.map((one) => one['active'])).toEqual([false, false])
    for (const catalog of [
      entries(limit),
      entries(limit).replace('active: false, ', ''),
      entries(limit).replace('ON,', 'ON, active: false,'),
    ])
      expect(await makePlan(rig.with(catalogOf(catalog)))).toMatchObject({ changes: [], drift: [], blocked: [] })
  })
})
