import { holderInUse } from './names.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Keyless } from '../change.ts'
import type { ResourceChange } from '../types.ts'
import type { LiveIndex } from './live-index.ts'
import type { Verdict } from './judged.ts'

/** The change, which is applied only with the changes at these addresses. */
export function appliedWith(change: Keyless<ResourceChange>, others: readonly string[]): Keyless<ResourceChange> {
  const all = new Set([...(change.together ?? []), ...others].filter((one) => one !== change.address))
  return all.size === 0 ? change : { ...change, together: [...all].toSorted() }
}

/**
 * The entry whose object or lookup key the verdict's entry gets in this plan, and the entries that
 * refer to what is exchanged. Without them, two objects would stand for one entry, a price would
 * have no lookup key, or the next plan would see references to the earlier object as changes of
 * others.
 */
export function exchangingWith(
  { kind, resource, identity }: Verdict,
  verdicts: readonly Verdict[],
  indexOf: (kind: Kind) => LiveIndex,
): readonly string[] {
  if (identity.is === 'ours' && identity.takenFrom !== undefined) {
    const uses = ({ kind: user, resource: { value } }: Verdict): boolean =>
      user.uses(value).some((use) => use.kind === kind.name && use.key === resource.key)
    return [identity.takenFrom.owner, ...verdicts.filter(uses).map((one) => one.resource.address)]
  }
  if (kind.fields['transfer_lookup_key'] === undefined) return []
  const holder = holderInUse(kind, indexOf(kind), resource)
  if (holder === undefined || (identity.is === 'ours' && identity.live.id === holder.id)) return []
  return verdicts
    .filter((one) => one.kind === kind && one.identity.is === 'ours' && one.identity.live.id === holder.id)
    .map((one) => one.resource.address)
}
