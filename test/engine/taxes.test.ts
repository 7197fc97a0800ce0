import chalk from 'chalk'
import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import { present } from '../../src/core/assert.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { failed } from '../../src/core/outcome.ts'
import { doctor } from '../../src/engine/doctor/doctor.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { Plan } from '../../src/plan/types.ts'
import { planAndApply } from './rig.ts'
import { meanwhile, member, prices, story, type Story } from './stories/world.ts'

/**
 * The British seller collects value added tax in the European Union and at home; the American one
 * where it is registered.
 */
const people: Readonly<Record<string, Stripe.CustomerCreateParams>> = {
  berlin: { address: { country: 'DE', postal_code: '10115' } },
  munich: { address: { country: 'DE', postal_code: '80331' } },
  parcel: { address: { country: 'DE' }, shipping: { name: 'A', address: { country: 'FR' } } },
  exempt: { address: { country: 'DE' }, tax_exempt: 'exempt' },
  business: { address: { country: 'AT' }, tax_id_data: [{ type: 'eu_vat', value: 'ATU12345678' }] },
  austin: { address: { country: 'US', state: 'TX', postal_code: '73301' } },
  buffalo: { address: { country: 'US', state: 'NY', postal_code: '14201' } },
}

interface Taxed {
  readonly world: Story
  readonly ids: Readonly<Record<string, string>>
}

/** Every subscriber in the international account, with the catalog already in the target. */
async function taxed(registrations: readonly string[], policies = '', ready = true): Promise<Taxed> {
  const ids: Record<string, string> = {}
  const world = await story(
    { clock: '2026-01-15T08:00:00Z', now: '2026-02-25T00:00:00Z', policies },
    async ({ intl }) => {
      const { monthly, yearly } = await prices(intl)
      for (const [name, params] of Object.entries(people)) {
        const customer = await member(intl, params)
        const items = [{ price: name === 'munich' ? yearly : monthly }]
        ids[name] = (await intl.subscriptions.create({ customer, items, automatic_tax: { enabled: true } })).id
      }
    },
  )
  register(world, registrations)
  if (ready) await planAndApply(world.stage('source'))
  return { world, ids }
}

function register({ rig }: Story, tax_registrations: readonly string[]): void {
  Object.assign(present(rig.sandbox.world.accounts.get('target'), 'target').settings, { tax_registrations })
}

/** The context, and how many previews it sends. */
function counted(context: Context): { readonly context: Context; readonly previews: () => number } {
  let previews = 0
  const before = async ({ path }: { path: string }): Promise<void> => {
    if (path.endsWith('/create_preview')) previews += 1
  }
  const both = meanwhile(meanwhile(context, { account: 'target', before }), { account: 'intl', before })
  return { context: both, previews: () => previews }
}

const by = (ids: Taxed['ids']) => {
  const names = new Map(Object.entries(ids).map(([name, id]) => [id, name]))
  return (address: string): string => names.get(address.replace(/^.*\//, '')) ?? address
}

const linesOf = (text: string, word: string): string[] => text.split('\n').filter((line) => line.includes(word))

/** The tax on the next charge: before and after. */
const charges = (plan: Plan, ids: Taxed['ids']): Record<string, readonly number[]> =>
  Object.fromEntries(
    plan.money.next_charges.map(({ subscriber, amount, before }) => [by(ids)(subscriber), [before.amount, amount]]),
  )

test('a plan reports whole countries whose tax would differ, and compares one member of each', async () => {
  const { world, ids } = await taxed(['US'])
  await using _ = world
  const { context, previews } = counted(world.stage('target'))
  const plan = await makePlan(context)
  // Berlin and Munich are one group; the others one each: exempt, shipped to France, a business,
  // and two states.
  expect(previews()).toBe(2 * 6)
  expect(plan.changes.map(({ address }) => by(ids)(address)).toSorted()).toEqual(['business', 'exempt'])
  expect(plan.blocked.map(({ address, code, message }) => `${by(ids)(address)} ${code} ${message}`).toSorted()).toEqual(
    [
      'austin tax_differs US-TX: no tax before, 8.25 % tax after',
      'berlin tax_differs DE: 19 % tax before, no tax after',
      'buffalo tax_differs US-NY: no tax before, 8.88 % tax after',
      'munich tax_differs DE: 19 % tax before, no tax after',
      'parcel tax_differs FR: 20 % tax before, no tax after',
    ],
  )
  expect(new Set(plan.blocked.map(({ fix }) => fix)).size).toBe(1)
  expect(plan.blocked[0]?.fix).toContain('tax: recompute and tax_accepted: [DE, FR, US]')
  expect(
    plan.money.tax?.map(({ country, regions, people: count, outcome }) => [country, regions, count, outcome]),
  ).toEqual([
    ['DE', [], 2, 'blocked'],
    ['FR', [], 1, 'blocked'],
    ['US', ['NY'], 1, 'blocked'],
    ['US', ['TX'], 1, 'blocked'],
  ])
  const text = planText(plan, chalk)
  expect(linesOf(text, 'Germany')).toEqual([
    '  Germany: 2 subscribers, 19 % tax before, no tax after; stays blocked (tax_differs)',
  ])
  expect(linesOf(text, 'United States')).toEqual([
    '  United States (NY, TX): 2 subscribers, no tax before, 8.88 % tax or 8.25 % tax after; stays blocked (tax_differs)',
  ])
  expect(linesOf(text, 'tax_accepted')).toHaveLength(1)
  expect(linesOf(planMarkdown(plan), 'Germany')).toEqual([
    '| Germany: 2 subscribers | 19 % tax before, no tax after | stays blocked (tax_differs) |',
  ])
  // Exemption, tax id and shipping address are still to be carried: the previews contain them, or
  // these three would seem to pay the tax of Germany and Austria.
  register(world, ['US', 'GB', 'DE', 'FR'])
  const registered = await makePlan(world.stage('target'))
  expect(registered.blocked.map(({ address }) => by(ids)(address)).toSorted()).toEqual(['austin', 'buffalo'])
})

test('a difference accepted for a country moves with its amount shown; the plan is bound to it', async () => {
  const { world, ids } = await taxed(['US'], 'policies: { tax: recompute, tax_accepted: [DE, US] }\n')
  await using _ = world
  const context = world.stage('target')
  const plan = await makePlan(context)
  expect(await makePlan(context)).toEqual(plan)
  expect(plan.blocked.map(({ address }) => by(ids)(address))).toEqual(['parcel'])
  expect(plan.blocked[0]?.fix).toContain('tax_accepted: [DE, FR, US]')
  expect(charges(plan, ids)).toEqual({
    berlin: [5_831, 4_900],
    munich: [58_310, 49_000],
    exempt: [4_900, 4_900],
    business: [4_900, 4_900],
    austin: [4_900, 5_304],
    buffalo: [4_900, 5_335],
  })
  const [german] = plan.money.tax ?? []
  // 49.00 a month and a twelfth of 490.00.
  expect(german).toMatchObject({ country: 'DE', people: 2, monthly: { usd: { before: 931 + 776, after: 0 } } })
  expect(linesOf(planText(plan, chalk), 'Germany')[0]).toContain('accepted; 17.07 usd of tax a month becomes 0.00 usd')
  // The target was registered in the European Union meanwhile: no tax changes any more, so it is
  // not what was reviewed.
  register(world, ['US', 'DE'])
  await expect(apply(context, plan)).rejects.toMatchObject({ code: 'plan_stale' })
  register(world, ['US'])
  expect((await apply(context, plan)).ok).toBe(true)
  // The revert shows the tax of the old account again, and no difference in it stops a revert.
  const back = await makePlan(world.stage('source'))
  expect(charges(back, ids)).toEqual({
    berlin: [4_900, 5_831],
    munich: [49_000, 58_310],
    exempt: [4_900, 4_900],
    business: [4_900, 4_900],
    austin: [5_304, 4_900],
    buffalo: [5_335, 4_900],
  })
  await world.advance('2026-03-20T00:00:00Z')
  const paid = new Map(world.charges().map(({ subscriber, amount }) => [by(ids)(subscriber), amount]))
  expect(Object.fromEntries(paid)).toEqual({
    berlin: 4_900,
    exempt: 4_900,
    business: 4_900,
    austin: 5_304,
    buffalo: 5_335,
    parcel: 5_880,
  })
})

test('a comparison that is not possible yet is reported, and not accepted unseen', async () => {
  const { world, ids } = await taxed(['US'], 'policies: { tax: recompute, tax_accepted: [DE, FR, US] }\n', false)
  await using _ = world
  const context = world.stage('target')
  const { plan, result } = await planAndApply(context)
  expect(linesOf(planText(plan, chalk), 'Germany')).toEqual([
    '  Germany: 3 subscribers, its prices are not in the target yet; each move compares the tax before it changes anything; a difference stops the move',
  ])
  const stopped = result.changes.filter(({ outcome }) => outcome !== 'done')
  expect(stopped.map(({ address, code }) => `${by(ids)(address)} ${code}`).toSorted()).toEqual(
    ['austin', 'berlin', 'buffalo', 'munich', 'parcel'].map((name) => `${name} tax_differs`),
  )
  const again = await planAndApply(context)
  expect(again.plan.money.tax?.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
  expect(again.result.ok).toBe(true)
})

test('with a read-only key, planning compares nothing and says so', async () => {
  const { world } = await taxed(['US'])
  await using _ = world
  const { context } = counted(world.stage('target'))
  const { target } = context.accounts
  const message = 'The provided key does not have the required permissions for this endpoint.'
  const refusing: typeof target = {
    ...target,
    send: async (request) =>
      request.path.endsWith('/create_preview')
        ? failed({ kind: 'rejected', code: 'invalid_request_error', message, status: 403 })
        : target.send(request),
  }
  const plan = await makePlan({ ...context, accounts: { ...context.accounts, target: refusing } })
  expect(plan.blocked).toEqual([])
  expect(planText(plan, chalk)).toMatch(/next charge 49\.00 usd plus tax on /)
  expect(linesOf(planText(plan, chalk), 'Germany')).toEqual([
    '  Germany: 3 subscribers, the key of the target has no permission to preview invoices; each move compares the tax before it changes anything; a difference stops the move',
  ])
  const cut = async (): ReturnType<typeof target.send> =>
    failed({ kind: 'unknown', code: 'connection_cut', message: 'cut', status: 0 })
  const silent: typeof target = {
    ...target,
    send: (request) => (request.path.endsWith('/create_preview') ? cut() : target.send(request)),
  }
  await expect(makePlan({ ...context, accounts: { ...context.accounts, target: silent } })).rejects.toMatchObject({
    code: 'preview_unreadable',
  })
})

test('one address that the target does not recognise stops its member, not the country', async () => {
  const { world, ids } = await taxed(['US'])
  await using _ = world
  const { context } = counted(world.stage('target'))
  const { target } = context.accounts
  const { customer } = await world.intl.subscriptions.retrieve(ids['munich'] ?? '')
  const lost = {
    kind: 'rejected',
    code: 'customer_tax_location_invalid',
    message: 'not recognized',
    status: 400,
  } as const
  const strict: typeof target = {
    ...target,
    send: async (request) => (request.params?.['customer'] === customer ? failed(lost) : target.send(request)),
  }
  const plan = await makePlan({ ...context, accounts: { ...context.accounts, target: strict } })
  const codes = new Map(plan.blocked.map(({ address, code }) => [by(ids)(address), code]))
  expect([codes.get('munich'), codes.get('berlin')]).toEqual(['tax_location_missing', 'tax_differs'])
})

test('a target without Stripe Tax stops every member whose tax Stripe computes, accepted or not', async () => {
  const { world } = await taxed([], 'policies: { tax: recompute, tax_accepted: [DE, FR, US] }\n')
  await using _ = world
  const plan = await makePlan(world.stage('target'))
  expect(plan.summary.move).toBe(0)
  expect(new Set(plan.blocked.map(({ code, message }) => `${code}${message.replace(/^.*:/, '')}`))).toEqual(
    new Set(['tax_differs Stripe Tax is not set up in the target']),
  )
  expect(linesOf(planText(plan, chalk), 'Germany')).toHaveLength(1)
  const taxFindings = async (): Promise<readonly string[]> => {
    const context = world.stage('target')
    const { findings } = await doctor(context, { localNow: context.accounts.target.now() })
    return findings
      .filter(({ check }) => /tax/.test(check))
      .map(({ check, status, account, message }) => `${status} ${account} ${check}: ${message}`)
  }
  expect(await taxFindings()).toEqual([
    'failed target stripe_tax_inactive: Stripe computes the tax of 7 subscriber(s), and Stripe Tax is not set up in the target',
  ])
  register(world, ['US', 'GB', 'FR'])
  expect(await taxFindings()).toEqual([
    'warning intl tax_registrations: the target does not collect tax in DE; only the target collects tax in US-CA',
  ])
  register(world, ['GB', 'DE', 'FR'])
  expect(await taxFindings()).toEqual(['ok intl tax_registrations: collects tax where the target does: DE, FR, GB'])
})
