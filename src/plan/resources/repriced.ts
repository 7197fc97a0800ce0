import type { LiveObject } from './live-index.ts'
import type { People } from './people.ts'
import { holdersOf } from './refusals.ts'
import type { Verdict } from './judged.ts'
import type { Repriced } from './types.ts'

/**
 * The changed price or tax rate, and older ones that an unfinished replacement left with
 * subscriptions.
 */
export function repricedBy(verdict: Verdict, people: People): readonly Repriced[] {
  const { kind, identity, resource, meanwhile: form, takes, differences } = verdict
  const { held } = kind
  if (held === undefined || identity.is !== 'ours') return []
  const onChange = intentOf(resource.value['on_change'])
  const of = (old: LiveObject, isReplaced: boolean): readonly Repriced[] => {
    const subscriptions = [...new Set(holdersOf({ kind, people }, old).map(({ subscription }) => subscription))]
    const applies = isReplaced && onChange === 'at_renewal'
    return subscriptions.length === 0
      ? []
      : [{ address: resource.address, held, onChange, applies, old, form, subscriptions }]
  }
  const changed = differences.some((one) => one.takes === 'replace') ? of(identity.live, takes === 'replace') : []
  const leftover = onChange === 'at_renewal' ? identity.older.filter((old) => !kind.retired(old)) : []
  return [...changed, ...leftover.flatMap((old) => of(old, takes !== 'blocked'))]
}

function intentOf(value: unknown): Repriced['onChange'] {
  return value === 'at_renewal' || value === 'new_only' ? value : 'refuse'
}
