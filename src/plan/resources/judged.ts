import type { DesiredResource } from '../../catalog/types.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Difference } from '../../kinds/form.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Blocked as AnyBlocked } from '../types.ts'
import type { ResourceBlockedCode } from './codes.ts'
import type { Identity } from './identity.ts'
import type { LiveIndex, LiveObject } from './live-index.ts'
import type { People } from './people.ts'
import type { ReferenceTable } from './references.ts'
import type { ResourcesInput } from './types.ts'

/** The changes that one declared object needs, and their reasons. */
export interface Verdict {
  readonly kind: Kind
  readonly resource: DesiredResource
  readonly identity: Identity
  readonly takes: 'nothing' | 'create' | 'update' | 'replace' | 'adopt' | 'blocked'
  /** The entry in its normal form. */
  readonly said: JsonObject
  /** The desired form: the entry with the live values of ignored fields. */
  readonly form: JsonObject
  /** The desired form while subscribers move: active where they need it. */
  readonly meanwhile: JsonObject
  readonly live: JsonObject
  /** What the entry's earlier object shows, where it takes the object of another entry. */
  readonly before?: JsonObject
  readonly differences: readonly Difference[]
  /** The id of a replacement, for kinds whose ids Crossbill chooses. */
  readonly newId: string | undefined
  /** Another object of this project that already matches the replacement. */
  readonly reuse: LiveObject | undefined
  readonly blocked: readonly Blocked[]
  /** The observation, for the basis of the plan. */
  readonly observed: JsonObject
}

export interface Judged {
  readonly kind: Kind
  readonly resource: DesiredResource
  readonly index: LiveIndex
  readonly references: ReferenceTable
  readonly people: People
  readonly input: ResourcesInput
  readonly needed: ReadonlySet<string>
}

/** Why an object is not changed, with a fix. The codes are documented in docs/codes.md. */
export type Blocked = AnyBlocked & { readonly code: ResourceBlockedCode }
