// Expansion of ids into objects, and the fields that are shown only when asked for. https://docs.stripe.com/api/expanding_objects
import type { Context } from './context.ts'
import { invalid } from './errors.ts'
import type { Module } from './module.ts'

type Node = Record<string, unknown>
type Paths = Map<string, Paths>
type Resolve = (context: Context, id: string) => object | undefined

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
    const wanted: Paths = new Map()
    for (const path of expand) {
      const steps = path.split('.')
      if (steps.length > 4)
        throw invalid(
          `You cannot expand more than 4 levels of a property. Property: ${path} was ${steps.length} levels deep.`,
          { param: 'expand' },
        )
      let level = wanted
      for (const step of steps) {
        const deeper = level.get(step) ?? new Map<string, Paths>()
        level.set(step, deeper as Paths)
        level = deeper as Paths
      }
    }
    return this.#copy(context, answer as Node, { paths: wanted, at: '' })
  }

  #copy(context: Context, node: Node, want: { paths: Paths; at: string }): Node {
    const includable = this.#includable.get(String(node['object']))
    const copy: Node = {}
    for (const [step, paths] of want.paths) {
      const at = want.at === '' ? step : `${want.at}.${step}`
      const make = this.#includes.get(`${String(node['object'])}.${step}`)
      if (make !== undefined) copy[step] = this.#copy(context, make(context, String(node['id'])) as Node, { paths, at })
      else if (!Object.hasOwn(node, step) && !includable?.has(step)) throw notExpandable(at, node)
    }
    for (const [key, value] of Object.entries(node)) {
      const paths = want.paths.get(key)
      if (paths === undefined && includable?.has(key)) continue
      if (value === undefined) continue
      const at = want.at === '' ? key : `${want.at}.${key}`
      copy[key] = this.#value(context, value, { paths, at, key, included: includable?.has(key) === true })
    }
    return copy
  }

  #value(
    context: Context,
    value: unknown,
    want: { paths: Paths | undefined; at: string; key: string; included: boolean },
  ): unknown {
    const deeper: Paths = want.paths ?? new Map()
    if (Array.isArray(value)) return value.map((element: unknown) => this.#value(context, element, want))
    if (typeof value === 'object' && value !== null) {
      return this.#copy(context, value as Node, { paths: deeper, at: want.at })
    }
    if (want.paths === undefined || value === null || want.included) return value
    const object = typeof value === 'string' ? this.#resolve(context, want.key, value) : undefined
    if (object === undefined) throw notExpandable(want.at, undefined)
    return this.#copy(context, object as Node, { paths: deeper, at: want.at })
  }

  #resolve(context: Context, field: string, id: string): object | undefined {
    const byField = this.#fields.get(field)?.(context, id)
    if (byField !== undefined) return byField
    const prefix = id.slice(0, id.lastIndexOf('_'))
    return this.#objects.get(prefix)?.(context, id)
  }
}

function notExpandable(at: string, node: Node | undefined): Error {
  const hint = node?.['object'] === 'list' ? ` You may want to try expanding 'data.${at}' instead.` : ''
  return invalid(`This property cannot be expanded (${at}).${hint}`, { param: 'expand' })
}
