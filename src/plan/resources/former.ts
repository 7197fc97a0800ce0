import { splitAddress } from '../../core/address.ts'
import { newAddress } from '../../catalog/new-address.ts'
import type { KindName, References } from '../../kinds/kind.ts'
import { markFormer } from '../../live/marks.ts'
import { markOf, ownMark } from './live-index.ts'
import type { ResourcesInput } from './types.ts'

/** References by the entry for which an object stood when this project last wrote it. */
export function formerNames(input: ResourcesInput, references: References): References {
  return {
    toStripe: (kind, key) => references.toStripe(kind, key),
    toKey: (kind, id) => formerKey(kind, id, input, references) ?? references.toKey(kind, id),
    live: (kind, id) => references.live?.(kind, id),
    ...(references.now === undefined ? {} : { now: references.now }),
  }
}

function formerKey(
  kind: KindName,
  id: string,
  { project, known, moved }: ResourcesInput,
  references: References,
): string | undefined {
  const object = references.live?.(kind, id)
  const mark = object === undefined ? undefined : ownMark(object, project)
  const former = object === undefined || mark === undefined ? undefined : markOf(object, markFormer)
  const recorded = known.find((one) => one.id === id && splitAddress(one.address).kind === kind)?.address
  const address = newAddress(mark === '' || mark === undefined ? (former ?? recorded) : mark, moved)
  return address === undefined ? undefined : splitAddress(address).key
}
