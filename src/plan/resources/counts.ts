import type { Counted } from '../../kinds/kind.ts'
import type { Notice } from '../types.ts'
import type { Verdict } from './judged.ts'

/** Limited objects that Stripe counts from 0 again, because another object takes their place. */
export function countsBeginAgain(verdict: Verdict): readonly Notice[] {
  const { kind, takes, identity, form, resource, reuse } = verdict
  const { counted } = kind
  if (counted === undefined || reuse !== undefined || (takes !== 'replace' && takes !== 'create')) return []
  const { most } = counted({ object: kind.name, ...form })
  if (most === undefined) return []
  if (takes === 'create') {
    const isGone = identity.is === 'absent' && identity.gone
    return isGone ? [notice(verdict, `it was deleted outside Crossbill and is created again`, most)] : []
  }
  const before: Counted = identity.is === 'ours' ? counted(identity.live) : { done: 0 }
  if (before.done === 0) return []
  const of = before.most === undefined ? '' : ` of ${before.most}`
  const id = identity.is === 'absent' ? resource.address : identity.live.id
  return [notice(verdict, `${id}, which it replaces, was used ${before.done}${of} times`, most)]
}

function notice({ resource }: Verdict, message: string, most: number): Notice {
  return {
    code: 'count_begins_again',
    subscriber: resource.address,
    at: null,
    message: `${message}; the new one counts from 0 and can be used ${most} ${most === 1 ? 'time' : 'times'}`,
    fix: 'If the limit is meant for both together, write what is left of it into the entry in the same change.',
  }
}
