import type { TSchema } from 'typebox'
import { describe, expect, test } from 'vitest'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { desiredForm, differences, liveForm } from '../../src/kinds/form.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { everyShape, type Sections } from './every-shape.ts'
import { changed, placesIn } from './other-places.ts'
import { catalogOf, lines, Target } from './target.ts'

/** Every path of a schema with a value: `restrictions.currency_options.*.minimum_amount`. */
function leaves(schema: TSchema, before: readonly string[] = []): readonly string[] {
  const { type, properties, items, additionalProperties } = schema as unknown as {
    type?: string
    properties?: Readonly<Record<string, TSchema>>
    items?: TSchema
    additionalProperties?: TSchema | boolean
  }
  if (type === 'object' && properties !== undefined)
    return Object.entries(properties).flatMap(([name, one]) => leaves(one, [...before, name]))
  if (type === 'object' && typeof additionalProperties === 'object')
    return leaves(additionalProperties, [...before, '*'])
  if (type === 'array' && items !== undefined) return leaves(items, [...before, '[]'])
  return [before.join('.')]
}

/** The paths that a value sets, in the form of `leaves`. */
function said(value: Json | undefined, schema: TSchema, before: readonly string[] = []): readonly string[] {
  const known = leaves(schema)
  const at = (path: readonly string[]): readonly string[] => (known.includes(path.join('.')) ? [path.join('.')] : [])
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => said(one, schema, [...before, '[]']))
  if (!isJsonObject(value)) return at(before)
  return Object.entries(value).flatMap(([name, one]) => {
    const named = [...before, name]
    const isKnown = known.some((path) => path === named.join('.') || path.startsWith(`${named.join('.')}.`))
    return said(one, schema, isKnown ? named : [...before, '*'])
  })
}

/**
 * Fields that are not compared: how an object is found again, the sink of a secret, the effect of a
 * change on subscribers, and what Stripe keeps for old accounts.
 */
const apart = new Set(['chosen', 'written', 'ignored'])

function compared(kind: Kind): readonly string[] {
  return leaves(kind.schema).filter((path) => !apart.has(kind.fields[path.split('.')[0] ?? '']?.policy ?? 'ignored'))
}

const shapes = everyShape()

function entriesOf(kind: Kind, sections: Sections): readonly (readonly [string, JsonObject])[] {
  return Object.entries(sections[kind.section] ?? {})
}

describe.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
  test('the examples set every field of the schema', () => {
    const covered = new Set(
      shapes.flatMap((one) => entriesOf(kind, one).flatMap(([, value]) => said(value, kind.schema))),
    )
    expect(compared(kind).filter((path) => !covered.has(path))).toEqual([])
  })

  test('another value in any field is a difference', () => {
    const lost: string[] = []
    for (const [, value] of shapes.flatMap((one) => entriesOf(kind, one)))
      for (const path of placesIn(value)) {
        if (apart.has(kind.fields[path[0] ?? '']?.policy ?? 'ignored')) continue
        const other = changed(value, path)
        if (differences(kind, desiredForm(kind, value), desiredForm(kind, other)).length === 0)
          lost.push(path.join('.'))
      }
    // These fields allow one value only.
    const single = new Set(['custom_unit_amount.enabled', 'promotion.type', 'customer_mapping.type'])
    expect([...new Set(lost)].filter((path) => !single.has(path.replace(/currency_options\.[a-z]{3}\./, '')))).toEqual(
      [],
    )
  })
})

test('every field of every kind reads back as it was written', { timeout: 120_000 }, async () => {
  for (const sections of shapes) {
    const target = await Target.open()
    const customer = await target.send('POST', '/v1/customers', { name: 'Only one' })
    const other = await target.send('POST', '/v1/customers', { name: 'Only two' })
    const text = JSON.stringify(sections)
    const catalog = catalogOf(text.replaceAll('cus_ONE', String(customer.id)).replaceAll('cus_TWO', String(other.id)))
    const plan = await target.plan(catalog)
    expect(plan.blocked).toEqual([])
    await target.apply(plan)
    // Also what was adopted and not created.
    const { ids } = await target.plan(catalog)
    const keys = new Map([...ids].map(([address, id]) => [id, address.split('.')[1]]))
    const live = await target.live()
    for (const kind of kinds)
      for (const { address, key, value } of catalog.resources.filter((one) => one.kind === kind.name)) {
        const object = live.get(kind.name)?.find((one) => one.id === ids.get(address))
        const references = {
          toKey: (_kind: string, id: string) => keys.get(id) ?? `(${id})`,
          toStripe: () => '',
        }
        const shown = object === undefined ? {} : liveForm(kind, object, references)
        expect(differences(kind, shown, desiredForm(kind, value)), `${kind.name}.${key}`).toEqual([])
      }
    expect(lines(await target.plan(catalog))).toEqual([])
  }
})
