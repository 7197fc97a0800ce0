import { addTo } from '../../core/lists.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { splitAddress } from '../../core/address.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { referencesIn, referencesInPath } from '../../plan/references.ts'
import { keepsName } from '../../plan/resources/names.ts'
import type { ResourceChange } from '../../plan/types.ts'

/**
 * Changes of one kind that run at the same time. The rate limit sets the pace; this number is
 * enough to use it fully. Each kind has its own slots, since each operation of Stripe has its own
 * limit.
 */
const lanes = 16

/**
 * Runs changes in parallel, each after those that it depends on. Results keep the order of the
 * changes. The first error stops what has not begun, and is thrown when nothing is in progress any
 * more.
 *
 * A change depends on an earlier change that creates or changes what it refers to, or that touches
 * the same object or claims the same name. Creations depend on nothing else. All other work keeps
 * the plan's order between kinds and actions: a product gets its new default price before the old
 * price is archived, and objects are retired before the objects that they use.
 */
export async function inDependencyOrder<Result>(
  changes: readonly ResourceChange[],
  work: (change: ResourceChange) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>()
  const errors: unknown[] = []
  let first = 0
  for (const stage of stagesOf(changes)) {
    const earlier = dependencies(stage)
    const done: Promise<void>[] = []
    const places = new Map<string, Slots>()
    for (const [index, change] of stage.entries()) {
      const place = first + index
      const kind = kindOf(change)
      const slots = places.get(kind) ?? new Slots(lanes)
      places.set(kind, slots)
      const run = async (): Promise<void> => {
        await Promise.all((earlier[index] ?? []).flatMap((one) => done[one] ?? []))
        await slots.take()
        try {
          if (errors.length === 0) results.set(place, await work(change))
        } catch (error) {
          errors.push(error)
        } finally {
          slots.give()
        }
      }
      done.push(run())
    }
    await Promise.all(done)
    if (errors.length > 0) throw errors[0]
    first += stage.length
  }
  return changes.flatMap((_change, index) => (results.has(index) ? [results.get(index) as Result] : []))
}

function kindOf({ address }: ResourceChange): string {
  return address.split('.')[0] ?? ''
}

/**
 * The stages of the plan, one after the other: a run of creations, or a run of one other action on
 * one kind.
 */
function stagesOf(changes: readonly ResourceChange[]): readonly (readonly ResourceChange[])[] {
  const stages: ResourceChange[][] = []
  let name = ''
  for (const change of changes) {
    const own = change.action === 'create' ? 'create' : `${change.action} ${kindOf(change)}`
    if (own !== name || stages.length === 0) stages.push([])
    name = own
    stages.at(-1)?.push(change)
  }
  return stages
}

/** For each change, the indexes of the earlier changes that it waits for. */
function dependencies(changes: readonly ResourceChange[]): readonly (readonly number[])[] {
  const writers = new Map<string, number>()
  const readers = new Map<string, number[]>()
  return changes.map((change, index) => {
    const writes = writesOf(change)
    const reads = readsOf(change)
    const waits = new Set<number>()
    for (const one of [...reads, ...writes]) {
      const writer = writers.get(one)
      if (writer !== undefined) waits.add(writer)
    }
    for (const one of writes) for (const reader of readers.get(one) ?? []) waits.add(reader)
    for (const one of writes) writers.set(one, index)
    for (const one of reads) addTo(readers, one, index)
    waits.delete(index)
    return [...waits]
  })
}

/**
 * The address itself, every object that a request is about, and every name that only one object can
 * have. Replacements of a kind whose names Stripe frees with their objects keep the plan's order,
 * because one may free the name that another one gives.
 */
function writesOf({ address, steps, action }: ResourceChange): ReadonlySet<string> {
  const paths = steps.flatMap(({ path }) => [path.split('/').slice(0, 4).join('/'), ...referencesInPath(path)])
  const names = steps.flatMap(({ params }) =>
    ['id', 'lookup_key', 'code', 'event_name'].flatMap((name) => {
      const value = params[name]
      return typeof value === 'string' ? [`${name} ${value.toLowerCase()}`] : []
    }),
  )
  const kind = kindNamed(splitAddress(address).kind)
  const all = action === 'replace' && kind !== undefined && keepsName(kind) ? [`names of ${kind.name}`] : []
  const objects = paths.filter((path) => path.split('/').length > 3 || !path.startsWith('/'))
  return new Set([address, ...objects, ...names, ...all])
}

/** What a request refers to: ids, and addresses that resolve to ids. */
function readsOf({ steps }: ResourceChange): ReadonlySet<string> {
  return new Set(steps.flatMap(({ params }) => [...referencesIn(params), ...texts(params)]))
}

function texts(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(texts)
  if (isJsonObject(value)) return Object.values(value).flatMap(texts)
  return typeof value === 'string' && /^(price|prod|txr|promo|mtr)_/.test(value) ? [value] : []
}

/** A fixed number of slots, given to waiting callers in order of arrival. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
