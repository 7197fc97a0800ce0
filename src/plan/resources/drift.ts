import { patchBetween } from '../patch.ts'
import { appliedOf } from './applied.ts'
import { comparable, type Difference, differences, liveForm } from '../../kinds/form.ts'
import type { References } from '../../kinds/kind.ts'
import { formerNames } from './former.ts'
import type { ResourcesInput } from './types.ts'
import type { Verdict } from './judged.ts'
import type { ResourceDriftCode } from './codes.ts'
import type { Drift as AnyDrift } from '../types.ts'

type Drift = AnyDrift & { readonly code: ResourceDriftCode }

/**
 * Changes made outside Crossbill. The last applied form distinguishes them from a change of the
 * YAML.
 */
export function driftOf(verdict: Verdict, input: ResourcesInput, references: References): readonly Drift[] {
  const { kind, resource, identity, said, form, live } = verdict
  const { address } = resource
  const recorded = input.known.find((one) => one.address === address)
  if (resource.lifecycle?.observe === true) return observed(verdict)
  if (identity.is === 'absent')
    return identity.gone
      ? [
          {
            address,
            code: 'gone',
            message: `${recorded?.id ?? 'it'} was deleted outside Crossbill; the plan creates it again`,
            patch: [],
          },
        ]
      : []
  const drift: Drift[] = []
  const found = madeOutside(verdict, input, references)
  if (recorded?.applied === appliedOf(kind, said) && found.length > 0) {
    const message = `changed outside Crossbill: ${found.map(({ field }) => field).join(', ')}`
    drift.push({
      address,
      code: 'changed_outside',
      message,
      patch: patchBetween(form, comparable(kind, live, form)),
    })
  }
  if (identity.is === 'ours' && identity.newer.length > 0) {
    const copies = identity.newer.map(({ id }) => id).join(', ')
    drift.push({
      address,
      code: 'duplicate_mark',
      message: `${copies} carries the marks of ${identity.live.id}; delete them from its metadata`,
      patch: [],
    })
  }
  return drift
}

/**
 * Differences that Crossbill did not make. It replaces an object, or gives it to another entry, and
 * may be stopped before every object that refers to it has followed: such a reference still names
 * what stood for the entry before.
 */
function madeOutside(
  { kind, identity, live, form }: Verdict,
  input: ResourcesInput,
  references: References,
): readonly Difference[] {
  const found = differences(kind, live, form)
  if (found.length === 0 || identity.is === 'absent') return found
  const before = differences(kind, liveForm(kind, identity.live, formerNames(input, references)), form)
  return found.filter(({ field }) => before.some((one) => one.field === field))
}

function observed({ kind, resource, identity, form, live }: Verdict): readonly Drift[] {
  const found = identity.is === 'absent' ? [] : differences(kind, live, form)
  if (found.length === 0) return []
  const message = `differs from its entry: ${found.map(({ field }) => field).join(', ')}; it is only observed, so nothing is changed`
  const patch = patchBetween(form, comparable(kind, live, form))
  return [{ address: resource.address, code: 'observed_differs', message, patch }]
}
