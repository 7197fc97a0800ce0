import type { JsonObject, StripeObject } from '../core/json.ts'
import type { KindName } from './kind.ts'

/**
 * Something that ends when an object is taken out of use. A plan shows it to people. A `type`,
 * because it is written to the plan file.
 */
export type Ending = {
  /**
   * `use`: the object's own use; the name of a kind: other objects; `members` and `events`: what
   * subscribers lose, and what nobody receives any more.
   */
  readonly what: 'use' | 'members' | 'events' | KindName
  readonly message: string
  /** The objects that it concerns: addresses of entries, else ids. */
  readonly objects?: readonly string[]
}

/** What a kind says about the end of one of its objects. */
export interface WhatEnds {
  /** The object's own use. */
  readonly use: (live: StripeObject) => string
  /**
   * What objects in use that refer to it, also through others, can no longer do, by their kind:
   * `can no longer be bought`.
   */
  readonly users?: Readonly<Partial<Record<KindName, string>>>
  /** What else ends, as far as it follows from the account. */
  readonly beyond?: (live: StripeObject, left: Left) => readonly Ending[]
  /** What subscribers lose by an update: `feature.export`. */
  readonly lost?: (before: JsonObject, after: JsonObject) => readonly string[]
}

/** The account after the plan. */
export interface Left {
  /** Number of subscriptions on prices that refer to the object, also through others. */
  readonly subscriptions: number
  /** The objects in use of a kind, without those that the plan takes out of use. */
  readonly inUse: (kind: KindName) => readonly JsonObject[]
}

const mostNames = 5

/** `a, b, c and 4 more` */
export function namesInText(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(', ')
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown
}

/** `1 payment link`, `3 payment links` */
export function countInText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
