import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import { catalogOf } from '../kinds/target.ts'
import { openRig, planAndApply, type Rig } from './rig.ts'

/** Each catalog in turn, with one store; what the list shows in use at the end. */
async function after(
  sections: readonly string[],
  path: string,
  use: (one: JsonObject) => string,
): Promise<readonly string[]> {
  const allowed = { allow: ['removed_from_yaml', 'empty_catalog', 'retire_share'] as const }
  await using rig: Rig = await openRig(catalogOf(''))
  for (const section of sections) {
    const context = rig.with(catalogOf(section))
    const { result } = await planAndApply(context, allowed)
    expect([section, result.ok, result.remaining]).toEqual([section, true, []])
  }
  const found: string[] = []
  for await (const one of rig.context.accounts.target.list(path, {})) found.push(use(one))
  return found.sort()
}

const domain = (name: string, rest = ''): string =>
  `payment_method_domains: { d: { domain_name: ${name}.example.com${rest} } }`

test('an object that Stripe keeps for ever comes back when its entry takes its key again', async () => {
  const use = (one: JsonObject): string =>
    `${String(one['domain_name'] as string)} ${String(one['enabled'] as boolean)}`
  expect(await after([domain('b'), domain('a'), domain('b')], '/v1/payment_method_domains', use)).toEqual([
    'a.example.com false',
    'b.example.com true',
  ])
  expect(
    await after([domain('b'), domain('a'), domain('b', ', enabled: false')], '/v1/payment_method_domains', use),
  ).toEqual(['a.example.com false', 'b.example.com false'])
})

const registration = (state: string): string =>
  `tax_registrations: { r: { country: US, country_options: { us: { state: ${state}, type: state_sales_tax } } } }`

test('a registration that ended is registered anew within the day in which its key is remembered', async () => {
  const use = (one: JsonObject): string => {
    const { us } = (one['country_options'] ?? {}) as { us?: { state?: string } }
    return `${us?.state ?? ''} ${String(one['status'] as string)}`
  }
  const found = await after(
    [registration('WA'), 'removed: [tax_registration.r]', registration('WA'), registration('TX'), registration('WA')],
    '/v1/tax/registrations',
    use,
  )
  expect(found.filter((one) => /^(?:WA|TX) active/.test(one))).toEqual(['WA active'])
})

test('an edit that is blocked is applied by nothing, so nobody is said to have changed it back', async () => {
  const price = (amount: number, rest = ''): string =>
    `products: { c: { name: C } }\nprices: { p: { product: c, currency: usd, unit_amount: ${amount}, nickname: ours${rest} } }`
  await using rig = await openRig(catalogOf(price(4900, ', protect: true')))
  await planAndApply(rig.context)
  const edited = rig.with(catalogOf(price(5900, ', protect: true')))
  for (const _run of ['first', 'second']) {
    const { plan } = await planAndApply(edited)
    expect([plan.blocked.map(({ code }) => code), plan.drift]).toEqual([['protected'], []])
  }
  // A change that somebody did make is still found.
  for await (const { id = '' } of rig.context.accounts.target.list('/v1/prices', {}))
    await rig.context.accounts.target.send({
      method: 'POST',
      path: `/v1/prices/${id}`,
      params: { nickname: 'by hand' },
      idempotencyKey: 'by-hand',
    })
  const { plan } = await planAndApply(rig.with(catalogOf(price(4900, ', protect: true'))))
  expect(plan.drift.map(({ address }) => address)).toEqual(['price.p'])
})
