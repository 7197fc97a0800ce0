// Expands ids to objects and omits fields that are shown only on request.
// https://docs.stripe.com/api/expanding_objects
import type { Context } from './context.ts'
import { invalid } from './errors.ts'
import { checkExpansion } from './permissions.ts'
import type { Module } from './module.ts'

type Node = Record<string, unknown>

/**
 * An id that expands to an object which no table holds under this id (the terms that a discount
 * keeps).
 */
export class Folded {
  readonly id: string
  readonly unfold: () => object

  constructor(id: string, unfold: () => object) {
    this.id = id
    this.unfold = unfold
  }
}
type Paths = ReadonlyMap<string, Paths>
type Resolve = (context: Context, id: string) => object | undefined

/** A place in an answer: what is requested below it, and where it is within the nearest object. */
interface Place {
  readonly wanted: Paths
  /**
   * The includable fields of the nearest object, and the path from that object to here
   * (`restrictions.`).
   */
  readonly includable: ReadonlySet<string> | undefined
  readonly within: string
  /** The path from the top, for the error that names it. */
  readonly key: string
  readonly up: Place | undefined
}

const nothing: Paths = new Map()

/** Collects from all modules how ids become objects and which fields are includable. */
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

  /**
   * The answer with the given paths expanded, and without includable fields that were not
   * requested. Parts that do not change are shared with the input.
   */
  shape(context: Context, answer: object, expand: readonly string[]): object {
    const wanted = pathsOf(expand)
    return this.#shaped(context, answer as Node, { wanted, includable: undefined, within: '', key: '', up: undefined })
  }

  /** The object with this id; undefined when the account has none, or the prefix is unknown. */
  find(context: Context, id: string): object | undefined {
    return this.#objects.get(id.slice(0, id.lastIndexOf('_')))?.(context, id)
  }

  #shaped(context: Context, node: Node, outer: Place): Node {
    const { object } = node
    const place =
      typeof object === 'string' ? { ...outer, includable: this.#includable.get(object), within: '' } : outer
    const { wanted, includable, within } = place
    let changed: Node | undefined
    for (const key in node) {
      const value = node[key]
      const asked = wanted.size === 0 ? undefined : wanted.get(key)
      const included = includable !== undefined && includable.has(within + key)
      const left = value === undefined || (included && asked === undefined)
      let now = value
      // Most fields are plain and not requested, so that there is nothing to expand.
      if (!left && (asked !== undefined || (typeof value === 'object' && value !== null))) {
        const below = includable === undefined ? '' : deeper(within, key)
        const inside = { wanted: asked ?? nothing, includable, within: below, key, up: place }
        now = this.#value(context, value, { place: inside, expand: asked !== undefined && !included })
      }
      if (left || now !== value) changed ??= before(node, key)
      if (changed !== undefined && !left) changed[key] = now
    }
    if (wanted.size === 0) return changed ?? node
    return this.#completed(context, node, { shaped: changed ?? node, place })
  }

  /**
   * Requested fields that the renderer did not give: their modules make them, or they are omitted
   * where an object has them only sometimes.
   */
  #completed(context: Context, node: Node, about: { shaped: Node; place: Place }): Node {
    const { shaped, place } = about
    const { includable, within } = place
    let more: Node | undefined
    for (const [key, wanted] of place.wanted) {
      if (Object.hasOwn(shaped, key)) continue
      const make = this.#includes.get(`${String(node['object'])}.${key}`)
      const inside = { ...place, wanted, key, up: place }
      if (make !== undefined)
        (more ??= { ...shaped })[key] = this.#shaped(context, make(context, String(node['id'])) as Node, inside)
      else if (includable?.has(within + key) !== true) throw notExpandable(inside, node)
    }
    return more ?? shaped
  }

  #value(context: Context, value: unknown, about: { place: Place; expand: boolean }): unknown {
    const { place, expand } = about
    if (value instanceof Folded) return expand ? this.#shaped(context, value.unfold() as Node, place) : value.id
    if (Array.isArray(value)) {
      const given: readonly unknown[] = value
      const elements = given.map((element) => this.#value(context, element, about))
      return elements.some((element, index) => element !== given[index]) ? elements : given
    }
    if (typeof value === 'object' && value !== null) return this.#shaped(context, value as Node, place)
    if (!expand || value === null) return value
    const object = typeof value === 'string' ? this.#resolve(context, place.key, value) : undefined
    if (object === undefined) throw notExpandable(place, undefined)
    checkExpansion(context.account, context.restricted, object)
    return this.#shaped(context, object as Node, place)
  }

  #resolve(context: Context, field: string, id: string): object | undefined {
    return this.#fields.get(field)?.(context, id) ?? this.find(context, id)
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

/** The fields before this one. */
function before(node: Node, last: string): Node {
  const copy: Node = {}
  for (const key in node) {
    if (key === last) break
    copy[key] = node[key]
  }
  return copy
}

/** As a client would write it: `data.customer`. */
function pathTo(place: Place): string {
  const steps: string[] = []
  for (let at: Place | undefined = place; at !== undefined; at = at.up) if (at.key !== '') steps.unshift(at.key)
  return steps.join('.')
}

function notExpandable(place: Place, node: Node | undefined): Error {
  const at = pathTo(place)
  const hint = node?.['object'] === 'list' ? ` You may want to try expanding 'data.${at}' instead.` : ''
  return invalid(`This property cannot be expanded (${at}).${hint}`, { param: 'expand' })
}
