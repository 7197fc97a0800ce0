// Expansion of ids into objects, and the fields that are shown only when asked for. https://docs.stripe.com/api/expanding_objects
import type { Context } from './context.ts'
import { invalid } from './errors.ts'
import type { Module } from './module.ts'

type Node = Record<string, unknown>
type Paths = ReadonlyMap<string, Paths>
type Resolve = (context: Context, id: string) => object | undefined

/** Where a copy stands: the path a client would write, what is wanted below, and the place within the nearest object. */
interface Place {
  readonly at: string
  readonly wanted: Paths
  /** Includable fields of the nearest object, and the path from it to here (`restrictions.`). */
  readonly includable: ReadonlySet<string> | undefined
  readonly within: string
}

const nothing: Paths = new Map()

/** Knows, from all modules, how ids become objects and which fields are includable. */
export class Expander {
  readonly #objects = new Map<string, Resolve>()
  readonly #fields = new Map<string, Resolve>()
  readonly #includable = new Map<string, ReadonlySet<string>>()
  readonly #includes = new Map<string, Resolve>()

  constructor(modules: readonly Module[]) {
    for (const module of modules) {
      for (const [prefix, resolve] of Object.entries(module.objects ?? {})) this.#objects.set(prefix, resolve)
      for (const [field, resolve] of Object.entries(module.fields ?? {})) this.#fields.set(field, resolve)
      for (const [object, names] of Object.entries(module.includable ?? {}))
        this.#includable.set(object, new Set([...(this.#includable.get(object) ?? []), ...names]))
      for (const [object, made] of Object.entries(module.includes ?? {}))
        for (const [field, make] of Object.entries(made)) this.#includes.set(`${object}.${field}`, make)
    }
  }

  /** A copy of the answer, with the given paths expanded and includable fields that were not asked for left out. */
  shape(context: Context, answer: object, expand: readonly string[]): object {
    const wanted = pathsOf(expand)
    return this.#copy(context, answer as Node, { at: '', wanted, includable: undefined, within: '' })
  }

  #copy(context: Context, node: Node, outer: Place): Node {
    const object = node['object']
    const place =
      typeof object === 'string' ? { ...outer, includable: this.#includable.get(object), within: '' } : outer
    const copy: Node = {}
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (value === undefined) continue
      const wanted = place.wanted.get(key)
      const included = place.includable?.has(place.within + key) === true
      if (included && wanted === undefined) continue
      // Most fields are plain and not asked for: nothing to look into.
      if (wanted === undefined && (typeof value !== 'object' || value === null)) {
        copy[key] = value
        continue
      }
      const inside = { ...place, at: join(place.at, key), wanted: wanted ?? nothing, within: deeper(place.within, key) }
      copy[key] = this.#value(context, value, { place: inside, key, expand: wanted !== undefined && !included })
    }
    for (const [key, wanted] of place.wanted)
      if (!Object.hasOwn(copy, key)) this.#make(context, node, { copy, key, place: { ...place, wanted } })
    return copy
  }

  /** A wanted field that the renderer did not give: made by its module, or left out where it is only sometimes there. */
  #make(context: Context, node: Node, about: { copy: Node; key: string; place: Place }): void {
    const { copy, key, place } = about
    const at = join(place.at, key)
    const make = this.#includes.get(`${String(node['object'])}.${key}`)
    if (make !== undefined) copy[key] = this.#copy(context, make(context, String(node['id'])) as Node, { ...place, at })
    else if (place.includable?.has(place.within + key) !== true) throw notExpandable(at, node)
  }

  #value(context: Context, value: unknown, about: { place: Place; key: string; expand: boolean }): unknown {
    if (Array.isArray(value)) return value.map((element: unknown) => this.#value(context, element, about))
    if (typeof value === 'object' && value !== null) return this.#copy(context, value as Node, about.place)
    if (!about.expand || value === null) return value
    const object = typeof value === 'string' ? this.#resolve(context, about.key, value) : undefined
    if (object === undefined) throw notExpandable(about.place.at, undefined)
    return this.#copy(context, object as Node, about.place)
  }

  #resolve(context: Context, field: string, id: string): object | undefined {
    const byField = this.#fields.get(field)?.(context, id)
    if (byField !== undefined) return byField
    const prefix = id.slice(0, id.lastIndexOf('_'))
    return this.#objects.get(prefix)?.(context, id)
  }
}

function pathsOf(expand: readonly string[]): Paths {
  type Growing = Map<string, Growing>
  const wanted: Growing = new Map()
  for (const path of expand) {
    const steps = path.split('.')
    if (steps.length > 4)
      throw invalid(
        `You cannot expand more than 4 levels of a property. Property: ${path} was ${steps.length} levels deep.`,
        { param: 'expand' },
      )
    let level = wanted
    for (const step of steps) {
      const next: Growing = level.get(step) ?? new Map()
      level.set(step, next)
      level = next
    }
  }
  return wanted
}

/** Keys of `currency_options` are currencies: `*` in the names of includable fields. */
function deeper(within: string, key: string): string {
  return within.endsWith('currency_options.') ? `${within}*.` : `${within}${key}.`
}

function join(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

function notExpandable(at: string, node: Node | undefined): Error {
  const hint = node?.['object'] === 'list' ? ` You may want to try expanding 'data.${at}' instead.` : ''
  return invalid(`This property cannot be expanded (${at}).${hint}`, { param: 'expand' })
}
