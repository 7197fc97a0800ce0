import { expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import { claimsOf, takeable } from '../../src/engine/access/claims.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { readAccount } from '../../src/engine/read/account.ts'
import { refresh } from '../../src/engine/read/refresh.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { present } from '../../src/core/assert.ts'
import { pull } from '../../src/engine/pull.ts'
import { members, type Members } from './members.ts'
import { loaded } from './school.ts'
import { member, prices, story } from './stories/world.ts'

const now = '2026-10-05T12:00:00Z'
const people = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z', price: 'quarterly' }] as const

/** The catalog with the lines of two prices exchanged, as after a wrong edit. */
function exchanged(catalog: Catalog): Catalog {
  const lines = catalog.mappings.get('us')
  if (lines === undefined) throw new Error('no mappings')
  const other: Readonly<Record<string, string>> = { monthly: 'quarterly', quarterly: 'monthly' }
  const prices = Object.fromEntries(Object.entries(lines.prices).map(([id, key]) => [id, other[key] ?? key]))
  return { ...catalog, mappings: new Map([...catalog.mappings, ['us', { ...lines, prices }]]) }
}

async function billed({ us, subscriptions }: Members): Promise<readonly string[]> {
  const all = await Promise.all(subscriptions.map(async (id) => us.subscriptions.retrieve(id)))
  return all.map(({ items }) => items.data[0]?.price.id ?? '').toSorted()
}

test('two exchanged lines of the mappings are named by plan and verify, although nobody is to move', async () => {
  await using school = await members(people, now)
  const right = school.at('source')
  expect((await makePlan(school.rig.with(right))).notices ?? []).toEqual([])
  const context = school.rig.with(exchanged(right))
  const lines = (await billed(school)).map((id) => `us/${id}`)
  const { notices = [] } = await makePlan(context)
  expect(notices.map(({ code, subscriber }) => `${code} ${subscriber}`).toSorted()).toEqual(
    lines.map((line) => `mapping_differs ${line}`),
  )
  expect(notices.map(({ message }) => message).join()).toContain('price.monthly is what it charges')
  const { violations } = await verify(context)
  const found = violations.filter(({ code }) => code === 'mapping_differs').map(({ subscriber }) => subscriber)
  expect(found.toSorted()).toEqual(lines)
})

test('a payer whose price has a wrong mapping keeps every offer and is given none by it', async () => {
  await using school = await members(people, now)
  const catalog = exchanged(school.at('source'))
  const live = await refresh(school.rig.with(catalog))
  const claims = claimsOf(catalog, live).map(({ prices, keepsAll }) => ({ prices, keepsAll }))
  expect(claims).toEqual(people.map(() => ({ prices: [], keepsAll: true })))
  const granted = school.keys.map((key) => ({ contact: '1', offer: 'membership', subscribers: [key] }))
  expect(takeable(catalog, live, granted)).toEqual([])
  expect(takeable(school.at('source'), live, granted)).toEqual(granted)
})

test('an amount that the catalog changed later does not make a mapping wrong', async () => {
  await using school = await members(people, now)
  const right = school.at('source')
  const resources = right.resources.map((one) =>
    one.address === 'price.monthly' ? { ...one, value: { ...one.value, unit_amount: 5900 } } : one,
  )
  const live = await readAccount(school.rig.context.accounts.sources.get('us') ?? school.rig.context.accounts.target, {
    start() {},
    step() {},
    note() {},
    done() {},
  })
  const catalog = { ...right, resources }
  const seen = { ...(await refresh(school.rig.with(catalog))), sources: new Map([['us', live]]) }
  expect(claimsOf(catalog, seen).map(({ prices }) => prices)).toEqual([['monthly'], ['quarterly']])
})

test('a move under a wrong mapping is blocked by the mapping alone, and nobody is told to pull', async () => {
  await using school = await members(people, now)
  const { blocked } = await makePlan(school.rig.with(exchanged(school.at('target'))))
  expect([...new Set(blocked.map(({ code }) => code))]).toEqual(['price_differs'])
})

test('a pull writes nothing from a wrong line of the mappings, and names it as the plan does', async () => {
  await using world = await story({ clock: '2026-09-20T09:15:00Z', now: '2026-10-05T12:00:00Z' }, async ({ us }) => {
    const known = await prices(us)
    for (const price of [known.monthly, known.yearly])
      await us.subscriptions.create({ customer: await member(us), items: [{ price }] })
  })
  const path = 'mappings/us.yaml'
  const wave = 'subscribers/us/wave-01.yaml'
  const text = present(world.files.get(path), path)
  const [monthly = '', yearly = ''] = [...text.matchAll(/price_\w+: (\S+)/g)].map(([, key]) => key ?? '')
  const wrong = text.replaceAll(
    /(price_\w+: )(\S+)/g,
    (_, id: string, key: string) => `${id}${key === monthly ? yearly : monthly}`,
  )
  // A price that nobody mapped, equal to the monthly one, and a new member on it.
  const [old] = (await world.us.prices.list()).data.filter(({ unit_amount: amount }) => amount === 4_900)
  const { id: price } = await world.us.prices.create({
    product: old?.product as string,
    currency: 'usd',
    unit_amount: 4_900,
    recurring: { interval: 'month' },
    tax_behavior: 'exclusive',
  })
  const { id } = await world.us.subscriptions.create({ customer: await member(world.us), items: [{ price }] })
  const files = new Map([...world.files, [path, wrong]])
  const pulled = await pull(world.rig.with(loaded(files)), { files })
  const [left, right] = [present(pulled.files.get(wave), wave), present(world.files.get(wave), wave)]
  // The entries of the pull before are as they were, and the new one names what is billed.
  expect(left.startsWith(right.trimEnd())).toBe(true)
  const [before, after] = [loaded(world.files), loaded(new Map([...files, ...pulled.files]))]
  const monthlies = before.subscribers.filter(({ items }) => items[0]?.price === 'membership-monthly-usd')
  expect(monthlies).toHaveLength(1)
  expect(after.subscribers.find((one) => one.subscription === id)?.items).toEqual(monthlies[0]?.items)
  expect(after.mappings.get('us')?.prices[price]).toBe('membership-monthly-usd')
  // The wrong lines stay for a person, who is told of them.
  expect(pulled.files.get(path)?.startsWith(wrong.split('coupons')[0]?.trimEnd() ?? '')).toBe(true)
  const named = pulled.notes.filter((note) => note.startsWith('mapping_differs: us/price_'))
  expect(named.map((note) => /it should name (\S+)/.exec(note)?.[1] ?? '').toSorted()).toEqual(
    [monthly, yearly].toSorted(),
  )
  expect(pulled.summary['notices']).toBe(2)
})
