import type { Position } from '../core/diagnostic.ts'
import { type Json, type JsonObject, objectIn } from '../core/json.ts'
import type { Draft, DraftMove, DraftRemoval } from './draft.ts'
import type { Lifecycle } from './types.ts'
import type { YamlFile } from './yaml-places.ts'

/** Separates the lifecycle keys of an entry from the object's own fields. */
export function lifecycleOf(value: JsonObject): { readonly own: JsonObject; readonly lifecycle?: Lifecycle } {
  const { retire, protect, observe, ignore_fields: ignored, ...own } = value
  if ([retire, protect, observe, ignored].every((one) => one === undefined)) return { own: value }
  const lifecycle = {
    retire: retire === true,
    ...(typeof protect === 'boolean' ? { protect } : {}),
    observe: observe === true,
    ignored: Array.isArray(ignored) ? (ignored as readonly string[]) : [],
  }
  return { own, lifecycle }
}

/** `removed:` is a list of addresses to retire, or a map from address to `retire` or `keep`. */
export function removalsIn(value: Json | undefined, file: YamlFile): readonly DraftRemoval[] {
  if (Array.isArray(value))
    return (value as readonly string[]).map((address, index) => ({
      address,
      what: 'retire',
      file,
      path: ['removed', index],
    }))
  const entries = Object.entries(objectIn(value))
  return entries.map(([address, what]) => ({
    address,
    what: what === 'keep' ? 'keep' : 'retire',
    file,
    path: ['removed', address],
  }))
}

/** `moved:`, old address → new address. */
export function movesIn(value: Json | undefined, file: YamlFile): readonly DraftMove[] {
  const entries = Object.entries(objectIn(value))
  return entries.map(([from, to]) => ({ from, to: String(to as string), file }))
}

/** Where the lines of `moved:` and `removed:` are: `moved price.old`, `removed price.old`. */
export function placesOfLines({ moved, removed }: Pick<Draft, 'moved' | 'removed'>): ReadonlyMap<string, Position> {
  const places = new Map<string, Position>()
  const put = (name: string, at: Position | undefined): unknown => at !== undefined && places.set(name, at)
  for (const { from, file } of moved) put(`moved ${from}`, file.locate(['moved', from], 'key'))
  for (const { address, file, path } of removed) put(`removed ${address}`, file.locate(path, 'key'))
  return places
}
