import { guardNames } from '../../src/catalog/guards.ts'
import { expect, test } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { readGuard } from '../../src/plan/guards.ts'
import { catalogOf } from '../kinds/target.ts'
import { members } from './members.ts'
import { openRig, planAndApply } from './rig.ts'

const people = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }] as const
const now = '2026-10-05T12:00:00Z'

function limited(context: Context, guards: Readonly<Record<string, number>>): Context {
  return { ...context, catalog: { ...context.catalog, project: { ...context.catalog.project, guards } } }
}

test('a guard trips above its limit and says how to override it, but not at the limit', () => {
  expect(readGuard('people_moved', 500, {})).toEqual({ id: 'people_moved', limit: 500, actual: 500, tripped: false })
  expect(readGuard('people_moved', 501, {}).message).toContain('--allow people_moved')
  expect(readGuard('people_moved', 3, { people_moved: 2 })).toMatchObject({ limit: 2, tripped: true })
})

test('every guard has its own message', () => {
  for (const name of guardNames)
    expect(readGuard(name as 'people_moved', 10_000, {}).message).toMatch(new RegExp(`10000.*--allow ${name}`))
})

test('more people than allowed: no one is moved until the guard is overridden by name', async () => {
  await using school = await members(people, now)
  const context = limited(school.stage('target'), { people_moved: 1 })
  const plan = await makePlan(context)
  expect(plan.guards.find(({ id }) => id === 'people_moved')).toMatchObject({ actual: 2, limit: 1, tripped: true })
  await expect(apply(context, plan)).rejects.toMatchObject({ code: 'guard_tripped' })
  await expect(apply(context, plan, { allow: ['mrr_share'] })).rejects.toMatchObject({ code: 'guard_tripped' })
  expect(school.rig.sent).toEqual([])
  expect(await apply(context, plan, { allow: ['people_moved'] })).toMatchObject({ ok: true })
})

test('a share of the revenue: half of it is 50 percent', async () => {
  await using school = await members(people, now)
  const plan = await makePlan(
    limited(
      school.stage((index) => (index === 0 ? 'target' : 'source')),
      { mrr_share: 49 },
    ),
  )
  expect(plan.guards.find(({ id }) => id === 'mrr_share')).toMatchObject({ actual: 50, tripped: true })
})

test('settling before a payment proved the move trips settle_unproven; enabled old endpoints trip old_webhooks_enabled', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z', card: 'pm_card_visa' }], now)
  await planAndApply(school.stage('target'))
  await school.us.webhookEndpoints.create({ url: 'https://old.example/hook', enabled_events: ['*'] })
  const [key] = school.keys
  await failNextPayments(school.target, key ?? '')
  await school.advance('2026-10-25T00:00:00Z')
  const plan = await makePlan(school.stage('settled', 'policies: { settle_after_days: 3 }'))
  const tripped = plan.guards.filter((guard) => guard.tripped).map(({ id }) => id)
  expect(plan.summary).toMatchObject({ settle: 1 })
  expect(tripped).toContain('old_webhooks_enabled')
  expect(tripped).toContain('settle_unproven')
})

test('a service that uses another store: no one is moved, and the reason is reported', async () => {
  await using school = await members(people.slice(0, 1), now)
  const context = school.stage('target')
  const served = { ...context, catalog: { ...context.catalog, project: { ...context.catalog.project, serve: {} } } }
  const plan = await makePlan(served)
  await expect(apply(served, plan)).rejects.toMatchObject({ code: 'service_elsewhere' })
  expect(school.rig.sent).toEqual([])
  await served.store.acquire('serve', 'service-1', 60)
  expect(await apply(served, plan)).toMatchObject({ ok: true })
})

test('in live mode a plan must come from a reviewed file', async () => {
  await using school = await members(people.slice(0, 1), now)
  const { accounts, ...context } = school.stage('target')
  const live: Context = { ...context, accounts: { ...accounts, target: { ...accounts.target, livemode: true } } }
  const plan = await makePlan(live)
  await expect(apply(live, plan)).rejects.toMatchObject({ code: 'guard_tripped' })
  expect(await apply(live, plan, { fromFile: true })).toMatchObject({ ok: true })
})

/** From now on the member's card in the target is declined. */
async function failNextPayments(target: Awaited<ReturnType<typeof members>>['target'], key: string): Promise<void> {
  for await (const one of target.subscriptions.list({ status: 'all' })) {
    if (one.metadata['crossbill_from'] !== key) continue
    const customer = typeof one.customer === 'string' ? one.customer : one.customer.id
    const card = await target.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
    await target.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
  }
}

test('retire_share is the share of all objects of this project in use, whatever their kind', async () => {
  const registrations = ['ie', 'es', 'it']
  const place = (country: string): string =>
    `${country}: { country: ${country.toUpperCase()}, country_options: { ${country}: { type: standard, standard: { place_of_supply_scheme: standard } } } }`
  const domain = 'payment_method_domains: { a: { domain_name: a.example.com } }\n'
  const all = catalogOf(`tax_registrations: { ${registrations.map(place).join(', ')} }\n${domain}`)
  await using rig = await openRig(all)
  await planAndApply(rig.context)
  const without = (...gone: readonly string[]): Context =>
    rig.with(
      catalogOf(
        `${
          gone.length === 3
            ? ''
            : `tax_registrations: { ${registrations
                .filter((one) => !gone.includes(one))
                .map(place)
                .join(', ')} }\n`
        }${domain}removed: [${gone.map((one) => `tax_registration.${one}`).join(', ')}]\n`,
      ),
    )
  const shareOf = async (context: Context): Promise<unknown> =>
    (await makePlan(context)).guards.find(({ id }) => id === 'retire_share')
  expect(await shareOf(without('ie', 'es', 'it'))).toMatchObject({ actual: 75, tripped: true })
  expect(await shareOf(without('ie'))).toMatchObject({ actual: 25, tripped: true })
  const plan = await makePlan(without('ie', 'es', 'it'))
  const before = rig.sent.length
  await expect(apply(without('ie', 'es', 'it'), plan)).rejects.toMatchObject({ code: 'guard_tripped' })
  expect(rig.sent).toHaveLength(before)
  // What was retired before is no longer in use: one of the three that are left.
  expect((await planAndApply(without('ie'), { allow: ['retire_share'] })).result).toMatchObject({ ok: true })
  expect(await shareOf(without('ie', 'es'))).toMatchObject({ actual: 34 })
})

test('empty_catalog counts what would be retired, and does not call it everything', async () => {
  await using rig = await openRig(catalogOf('products: { a: { name: A }, b: { name: B }, c: { name: C } }'))
  await planAndApply(rig.context)
  const { guards } = await makePlan(rig.with(catalogOf('removed: [product.a]')))
  expect(guards.find(({ id }) => id === 'empty_catalog')?.message).toContain(
    'the catalog declares no resource, and 1 object(s) would be retired',
  )
  expect(guards.find(({ id }) => id === 'retire_share')).toMatchObject({ actual: 34 })
})
