import type { Action, Change, Part, Parts, Seen, Step } from './types.ts'

/** Which part of the plan an action belongs to. */
export const partOfAction = {
  create: 'resource',
  update: 'resource',
  replace: 'resource',
  retire: 'resource',
  adopt: 'resource',
  move: 'handover',
  settle: 'handover',
  revert: 'handover',
  grant: 'access',
  revoke: 'access',
} as const satisfies { readonly [A in Action]: PartWith<A> }

type PartWith<A extends Action> = { [P in Part]: A extends Parts[P]['action'] ? P : never }[Part]

/** Every action, in the order in which a plan counts them. */
export const actions = Object.keys(partOfAction) as readonly Action[]

/** A change whose steps have no idempotency keys yet; the keys derive from the whole plan. */
export type Keyless<C extends Change = Change> = C extends Change
  ? Omit<C, 'steps' | 'expect'> & {
      readonly steps: readonly Omit<Step, 'idempotency_key'>[]
      readonly expect: Omit<C['expect'], keyof Seen>
    }
  : never

function partOf(action: Action): Part {
  return partOfAction[action]
}

/** One handler for each part. A new part does not compile until every caller handles it. */
export function byPart<R>(change: Change, handlers: { readonly [P in Part]: (change: Parts[P]) => R }): R {
  return (handlers[partOf(change.action)] as (change: Change) => R)(change)
}

/** Binds a change to the plan that contains it. */
export function bound(change: Keyless, steps: readonly Step[], seen: string): Change {
  const { expect, ...described } = change
  return { ...described, steps, expect: { ...expect, seen } } as Change
}

type OfPart<C extends Keyless, P extends Part> = Extract<C, { readonly action: Parts[P]['action'] }>

function isOf<P extends Part>(part: P): { <C extends Keyless>(change: C): change is OfPart<C, P> } {
  return <C extends Keyless>(change: C): change is OfPart<C, P> => partOf(change.action) === part
}

export const isHandover = isOf('handover')
export const isAccess = isOf('access')
