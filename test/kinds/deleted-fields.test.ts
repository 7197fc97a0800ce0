import { expect, test } from 'vitest'
import { canonicalJson } from '../../src/core/canonical.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { desiredForm } from '../../src/kinds/form.ts'
import { kindNamed, kinds } from '../../src/kinds/registry.ts'
import { everyShape } from './every-shape.ts'
import { catalogOf, lines, Target } from './target.ts'

/** Each value of an entry without which it may be valid: `features.invoice_history.enabled`. */
function optionalPlaces(value: JsonObject, required: readonly string[]): readonly (readonly string[])[] {
  const below = (one: Json | undefined, path: readonly string[]): readonly (readonly string[])[] =>
    isJsonObject(one)
      ? [path, ...Object.entries(one).flatMap(([name, inside]) => below(inside, [...path, name]))]
      : [path]
  return Object.entries(value)
    .filter(([name]) => !required.includes(name))
    .flatMap(([name, one]) => below(one, [name]))
}

function without(value: JsonObject, [step = '', ...rest]: readonly string[]): JsonObject {
  const { [step]: one, ...others } = value
  return rest.length === 0 || !isJsonObject(one) ? others : { ...others, [step]: without(one, rest) }
}

test(
  'promise: nothing silent: a value that is deleted from an entry is a change, or is named',
  { timeout: 240_000 },
  async () => {
    const seen = new Set<string>()
    const silent: string[] = []
    for (const sections of everyShape()) {
      const target = await Target.open()
      const customers = [await target.send('POST', '/v1/customers', {}), await target.send('POST', '/v1/customers', {})]
      const text = JSON.stringify(sections)
        .replaceAll('cus_ONE', String(customers[0]?.id))
        .replaceAll('cus_TWO', String(customers[1]?.id))
      const catalog = catalogOf(text)
      await target.apply(await target.plan(catalog))
      target.note(await target.plan(catalog))
      target.seen = await target.live()
      for (const resource of catalog.resources) {
        const kind = kindNamed(resource.kind)
        if (kind === undefined) continue
        const { required = [] } = kind.schema as { required?: readonly string[] }
        for (const path of optionalPlaces(resource.value, required)) {
          const field = kind.fields[path[0] ?? '']
          const name = `${kind.name} ${path.join('.')}`
          if (seen.has(name) || field === undefined || ['written', 'ignored', 'chosen'].includes(field.policy)) continue
          const value = without(resource.value, path)
          // The value that means nothing, such as `active: true`.
          if (canonicalJson(desiredForm(kind, value)) === canonicalJson(desiredForm(kind, resource.value))) continue
          seen.add(name)
          const resources = catalog.resources.map((one) => (one === resource ? { ...one, value } : one))
          const plan = await target.plan({ ...catalog, resources })
          const isNamed = plan.notices.some(
            ({ subscriber, code }) => code === 'field_left_alone' && subscriber === resource.address,
          )
          if (!isNamed && !lines(plan).some((line) => line.includes(` ${resource.address} `))) silent.push(name)
        }
      }
    }
    expect(seen.size).toBeGreaterThan(100)
    expect(new Set([...seen].map((name) => name.split(' ')[0])).size).toBe(kinds.length)
    expect(silent).toEqual([])
  },
)
