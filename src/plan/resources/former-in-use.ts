import { objectIn } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import { newAddress } from '../../catalog/new-address.ts'
import type { Kind } from '../../kinds/kind.ts'
import { kinds } from '../../kinds/registry.ts'
import { markFormer } from '../../live/marks.ts'
import type { Notice } from '../types.ts'
import type { Verdict } from './judged.ts'
import { markOf, ownMark, type LiveIndex, type LiveObject } from './live-index.ts'
import type { ResourcesInput } from './types.ts'

/** An object of this project that another one replaced, and that is still in use. */
export interface Former {
  readonly kind: Kind
  /** The entry that it stood for. */
  readonly address: string
  readonly live: LiveObject
}

type Input = Pick<ResourcesInput, 'project' | 'moved'>

/**
 * The replaced objects in use of a kind whose objects keep their ids. A replacement takes every
 * other object out of use, and these only lose their address.
 */
export function formersOf(kind: Kind, index: LiveIndex, { project, moved }: Input): readonly Former[] {
  if (kind.ownId === undefined) return []
  return [...index.byId.values()].flatMap((live) => {
    const address = newAddress(markOf(live, markFormer), moved)
    const isFormer = address !== undefined && ownMark(live, project) === '' && !kind.retired(live)
    return isFormer && live['valid'] !== false ? [{ kind, address, live }] : []
  })
}

/**
 * Replaced objects that stay in use after the plan: those of earlier plans, and those that this
 * plan replaces.
 */
export function formersInUse(
  input: ResourcesInput,
  indexOf: (kind: Kind) => LiveIndex,
  { verdicts, retired }: { readonly verdicts: readonly Verdict[]; readonly retired: ReadonlySet<string> },
): readonly Notice[] {
  const isAgain = new Set(verdicts.flatMap(({ reuse }) => (reuse === undefined ? [] : [reuse.id])))
  const isKept = ({ address }: Former): boolean => input.removed?.get(address) === 'keep'
  const earlier = kinds
    .flatMap((kind) => formersOf(kind, indexOf(kind), input))
    .filter((one) => !retired.has(one.live.id) && !isAgain.has(one.live.id) && !isKept(one))
    .map((one) => said(one, `was replaced and stays in use${withCodes(one, input)}`))
  const now = verdicts.flatMap(({ kind, resource, identity, takes, newId, reuse }) => {
    if (takes !== 'replace' || kind.ownId === undefined || identity.is !== 'ours') return []
    const one: Former = { kind, address: resource.address, live: identity.live }
    if (kind.retired(identity.live) || identity.live['valid'] === false) return []
    const next = reuse?.id ?? newId ?? 'another id'
    return [said(one, `is replaced by ${next} and stays in use under its own id${withCodes(one, input)}`)]
  })
  return [...now, ...earlier]
}

function said({ kind, address, live }: Former, message: string): Notice {
  const noun = kind.name.replaceAll('_', ' ')
  const end = kind.fields['active'] === undefined ? 'Delete' : 'Archive'
  return {
    code: 'former_in_use',
    subscriber: address,
    at: null,
    message: `the ${noun} ${live.id} ${message}`,
    fix: `${end} it in the Dashboard of the target if nobody should use it any more; members who have it keep it.`,
  }
}

/** The promotion codes in use of a coupon that this project did not make. */
function withCodes({ kind, live }: Former, input: ResourcesInput): string {
  // A product is not redeemed.
  if (kind.counted === undefined) return ''
  const codes = (input.live.get('promotion_code') ?? []).filter((code) => {
    const coupon = idOf(objectIn(code['promotion'])['coupon'])
    return coupon === live.id && code['active'] === true && (ownMark(code, input.project) ?? '') === ''
  })
  if (codes.length === 0) return ': it can still be redeemed'
  const names = codes.map((code) => (typeof code['code'] === 'string' ? code['code'] : (code.id ?? '')))
  return `: it can still be redeemed, also by the promotion code${names.length === 1 ? '' : 's'} ${names.join(', ')}`
}
