import { describe, expect, test } from 'vitest'
import type { Catalog, DesiredResource, Lifecycle } from '../../src/catalog/types.ts'
import { present } from '../../src/core/assert.ts'
import { kindNamed, kinds } from '../../src/kinds/registry.ts'
import { everyShape } from './every-shape.ts'
import { changed, placesIn } from './other-places.ts'
import { catalogOf, lines, Target } from './target.ts'

/** How an object is found again, the sink of a secret, and what is not compared. */
const apart = new Set(['chosen', 'written', 'ignored'])

interface Ground {
  readonly target: Target
  readonly catalog: Catalog
  readonly known: Target['known']
  readonly mapped: Readonly<Record<string, string>>
}

/** Every kind in every shape, created by this project. */
async function grounds(): Promise<readonly Ground[]> {
  return Promise.all(
    everyShape().map(async (sections) => {
      const target = await Target.open()
      const customer = await target.send('POST', '/v1/customers', { name: 'Only one' })
      const other = await target.send('POST', '/v1/customers', { name: 'Only two' })
      const text = JSON.stringify(sections)
      const catalog = catalogOf(text.replaceAll('cus_ONE', String(customer.id)).replaceAll('cus_TWO', String(other.id)))
      await target.apply(await target.plan(catalog))
      const { ids } = await target.plan(catalog)
      target.seen = await target.live()
      const { known } = target
      // Another project has no record of these objects.
      target.known = []
      return { target, catalog, known, mapped: Object.fromEntries([...ids].map(([address, id]) => [id, address])) }
    }),
  )
}

function editing(catalog: Catalog, edit: (one: DesiredResource) => DesiredResource): Catalog {
  return { ...catalog, resources: catalog.resources.map(edit) }
}

const none: Lifecycle = { retire: false, observe: false, ignored: [] }

/**
 * Catalogs in which every entry has another value at one of its places, until every place had one.
 * No other entry is named, and what alone identifies an object without marks stays.
 */
function otherValues(catalog: Catalog, lifecycleOf: (field: string) => Lifecycle): readonly Catalog[] {
  const places = new Map(
    catalog.resources.map(({ kind: name, address, value }) => {
      const kind = present(kindNamed(name), name)
      const kept = new Set([
        ...kind.uses(value).map(({ path }) => path[0]),
        ...(kind.marks ? [] : [kind.naturalKey?.name]),
        ...Object.entries(kind.fields).flatMap(([field, { policy }]) => (apart.has(policy) ? [field] : [])),
      ])
      return [address, placesIn(value).filter(([field]) => !kept.has(field))] as const
    }),
  )
  const rounds = Math.max(...[...places.values()].map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) =>
    editing(catalog, (one) => {
      const own = places.get(one.address) ?? []
      const path = own[round % Math.max(own.length, 1)]
      const lifecycle = lifecycleOf(path?.[0] ?? '')
      return { ...one, ...(path === undefined ? {} : { value: changed(one.value, path) }), lifecycle }
    }),
  )
}

const all = await grounds()

test('every kind is among the examples', () => {
  const seen = new Set(all.flatMap(({ catalog }) => catalog.resources.map(({ kind }) => kind)))
  expect(kinds.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([])
})

describe('objects of another project, with observe: true', () => {
  const observed = (catalog: Catalog): Catalog => ({
    ...editing(catalog, (one) => ({ ...one, lifecycle: { ...none, observe: true } })),
    project: { ...catalog.project, name: 'another' },
  })

  test('nothing is to do for any kind, and nothing is adopted', async () => {
    for (const { target, catalog, mapped } of all) {
      const plan = await target.plan(observed(catalog), { mapped })
      expect(lines(plan)).toEqual([])
      expect([...plan.ids]).toEqual([])
    }
  })

  test('a difference in any field of any kind is reported, and nothing is sent', async () => {
    for (const { target, catalog, mapped } of all)
      for (const edited of otherValues(catalog, () => none)) {
        const plan = await target.plan(observed(edited), { mapped })
        expect(plan.drift.length).toBeGreaterThan(0)
        expect(lines(plan).filter((line) => !line.endsWith('(observed_differs)'))).toEqual([])
      }
  })
})

test('ignore_fields: a difference in an ignored field of any kind changes nothing', async () => {
  for (const { target, catalog, known } of all) {
    target.known = known
    for (const edited of otherValues(catalog, (field) => ({ ...none, ignored: [field] })))
      expect(lines(await target.plan(edited))).toEqual([])
  }
})
