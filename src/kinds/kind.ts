import type { TObject } from 'typebox'
import type { Instant } from '../core/instant.ts'
import type { Json, JsonObject, StripeObject } from '../core/json.ts'

/**
 * The names of all kinds. Each kind's file adds its own name, so that no list has to be kept equal
 * to the files: see decision 20.
 */
export interface KindNames {}

export type KindName = keyof KindNames

/**
 * What can happen to a field after its object exists:
 * - `mutable`         an update changes it; deleting it from the YAML clears it
 * - `fixed`           Stripe never changes it: another value needs another object
 * - `fixed_once_set`  may change once from its default to a value, then it is fixed
 * - `grows`           a map whose entries can be added but never changed or removed, because
 *   subscribers are billed by them
 * - `chosen`          an id that Crossbill chooses at creation and finds again; never compared
 * - `written`         used once and never read back (where to store a secret, the effect of a price
 *   change)
 * - `ignored`         maintained by Stripe: counters, links, copies of other fields
 * - `refused`         a parameter that the YAML does not offer, because another key covers it
 */
export type FieldPolicy =
  | 'mutable'
  | 'fixed'
  | 'fixed_once_set'
  | 'grows'
  | 'chosen'
  | 'written'
  | 'ignored'
  | 'refused'

/** Converts keys of the catalog to their values in Stripe, and back. */
export interface References {
  /**
   * The object's id, or `{ $ref: address }` if an earlier step of the same plan creates the object.
   */
  toStripe(kind: KindName, key: string): Json
  /** The key of a live object; its id in brackets if the catalog does not declare it. */
  toKey(kind: KindName, id: string): string
  /** The live object with this id, where the account's lists are known. */
  live?(kind: KindName, id: string): StripeObject | undefined
  /** The account's time, to recognise objects that Stripe deactivates when they expire. */
  readonly now?: Instant
}

/**
 * What a changed value requires: an update, a new object, or a change that Stripe does not offer.
 */
export type Takes = 'update' | 'replace' | 'refuse'

export interface Field {
  readonly policy: FieldPolicy
  /**
   * Set when Stripe fills in a default or cannot clear the field: it is then compared, entry by
   * entry, only where the YAML has a value.
   */
  readonly silent?: 'left_alone'
  /** What a changed value requires, when the policy alone does not decide. */
  readonly takes?: (live: Json | undefined, desired: Json | undefined) => Takes
  /** Stripe accepts it only in updates, so an update follows the creation. */
  readonly afterwards?: true
  /** The value that means nothing: both sides omit it before the comparison. */
  readonly default?: Json
  /**
   * Canonical form of equal values (order of sets, decimals), on both sides, in the YAML's terms.
   */
  readonly canonical?: (value: Json) => Json | undefined
  /**
   * The meaning of a canonical value where two values mean the same (an absent tier amount is
   * zero); the value itself by default.
   */
  readonly meaning?: (value: Json) => Json
  /**
   * Paths in the object that Stripe returns only when expanded. `*` matches the keys of a map,
   * which must be read first, so such a path is requested per object when `hides` returns true.
   */
  readonly expands?: readonly string[]
  /** Whether a path with `*` has unexpanded data in this object; always by default. */
  readonly hides?: (live: StripeObject) => boolean
  /** The live value in the YAML's terms; the field of the same name by default. */
  readonly read?: (live: StripeObject, references: References) => Json | undefined
  /**
   * Whether Stripe shows a value of its own, which does not tell what was set: an expired code is
   * inactive, whatever its entry says. The live object then counts as having the entry's value.
   */
  readonly unshown?: (live: StripeObject, references: References) => boolean
  /** The YAML's value as a request parameter. */
  readonly write?: (value: Json, references: References) => Json
  /**
   * Parameters of an update to this value (`undefined` clears it); `{ name: value }` by default,
   * null to clear.
   */
  readonly update?: (value: Json | undefined, references: References) => JsonObject
  /**
   * For a field that consists of separate objects: the requests that change the live objects to the
   * desired ones.
   */
  readonly requests?: (live: StripeObject, value: Json, references: References) => readonly PartRequest[]
  /** For a field that Stripe changes by a separate request: the suffix of the object's path. */
  readonly action?: (value: Json | undefined) => string
}

/**
 * Fields that every Stripe object has but no request sets, and parameters that every request
 * accepts.
 */
type Universal = 'id' | 'object' | 'created' | 'updated' | 'livemode' | 'deleted' | 'expand'

/**
 * A policy for each field of the object and of its create and update parameters, by the types of
 * the SDK: a new field of Stripe does not compile without a policy. `Own` are additional keys of
 * the YAML.
 */
export type FieldsOf<Live, Create, Update, Own extends string = never> = {
  readonly [Name in Exclude<keyof Live | keyof Create | keyof Update, Universal> | Own]: Field
}

/**
 * A reference to another object of the catalog, for the check of unknown references and for the
 * order of execution.
 */
export interface Use {
  readonly kind: KindName
  readonly key: string
  /** Path in the entry: `['recurring', 'meter']`. */
  readonly path: readonly (string | number)[]
}

/** A request about a part of an object, where the part is a separate object below it. */
export interface PartRequest {
  /** `attach:export`; unique within a change. */
  readonly id: string
  readonly method: 'POST' | 'DELETE'
  /** Suffix of the object's path: `/features`. */
  readonly suffix: string
  readonly params: JsonObject
}

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
interface WhatEnds {
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

/** How often an object was used, and how often it may be. */
export interface Counted {
  readonly done: number
  /** Undefined: as often as wanted. */
  readonly most?: number
}

/** A request about a live object. */
interface Request {
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
}

/**
 * A kind of object in the target's catalog: all facts about it, in one file, as data and pure
 * functions. A new kind needs one file and one line in registry.ts.
 */
export interface Kind<Name extends KindName = KindName> {
  readonly name: Name
  /** The section in the YAML: `prices:`. */
  readonly section: string
  /** The file that holds the section by convention. */
  readonly file: string
  /** Stripe's reference page. */
  readonly docs: string
  /** Schema of one entry. */
  readonly schema: TObject
  readonly path: string
  /** Filters of the lists that together return every object; the fields define the expansions. */
  readonly lists: readonly JsonObject[]
  /**
   * A plan reads such a kind only when the catalog or the store names an object of it. A key that
   * may not read the kind then still plans a catalog without it. Other kinds are always read.
   */
  readonly readWhen?: 'named'
  readonly fields: Readonly<Record<string, Field>>
  /**
   * Whether its metadata can carry Crossbill's marks. Without marks, only the natural key
   * identifies it.
   */
  readonly marks: boolean
  /** The id that Crossbill chooses at creation. */
  readonly ownId?: (key: string, value: JsonObject) => string
  /** What distinguishes two objects of this kind besides ids and marks, as Stripe enforces it. */
  readonly naturalKey?: {
    readonly name: string
    /**
     * Whether Stripe refuses a second object with the same key. Otherwise the key only helps to
     * recognise an object.
     */
    readonly unique: boolean
    /** Set when Stripe gives the key to a new object once its holder is out of use. */
    readonly freeAfter?: 'retired'
    readonly desired: (key: string, value: JsonObject) => string | undefined
    readonly live: (object: StripeObject) => string | undefined
  }
  /**
   * Merges different spellings of the same entry where a single field is not enough (two fields for
   * one amount).
   */
  readonly spelling?: (value: JsonObject) => JsonObject
  /**
   * How subscriptions hold an object of this kind, as the price of an item or among tax rates. Its
   * replacement needs `on_change`, which says what happens to them.
   */
  readonly held?: 'item' | 'rates'
  readonly uses: (value: JsonObject) => readonly Use[]
  /** A replacement creates the new object first, unless Stripe allows only one of them. */
  readonly replaceOrder: 'create_first' | 'retire_first'
  /**
   * Whether it is the second object of an entry for a time, as in a rotation of a secret. Unless
   * its mark has the entry's address, it gets no entry.
   */
  readonly isSecond?: (live: StripeObject) => boolean
  /** Whether it is already out of use. */
  readonly retired: (live: StripeObject) => boolean
  /** Whether an object out of use never comes back: its entry then creates another one. */
  readonly ends?: true
  /**
   * Retires it without deleting history. Undefined when Stripe offers no way; it then only loses
   * its marks.
   */
  readonly retire: (live: StripeObject) => Request | undefined
  /** What ends with a retirement: shown in the plan. */
  readonly whatEnds: WhatEnds
  /** The uses that Stripe counts and may limit: they begin at 0 with every new object. */
  readonly counted?: (object: JsonObject) => Counted
  /**
   * An account's default of this kind, which Stripe never deactivates: whether the object is it,
   * and whether the first object of the account becomes it.
   */
  readonly standard?: { readonly is: (live: StripeObject) => boolean; readonly firstBecomes: boolean }
  /**
   * Takes a retired object into use again, when its successor could not be created; for
   * `retire_first`. Undefined when Stripe offers no way.
   */
  readonly restore?: (id: string) => Request
  /**
   * Why Stripe would refuse to create an object of this form now: a time that has passed. Undefined
   * when nothing is known to be refused.
   */
  readonly refusal?: (form: JsonObject, references: References) => string | undefined
  /**
   * Separate objects below each object of this kind, read by their own list if the account has any
   * object of the named kind.
   */
  readonly parts?: { readonly field: string; readonly suffix: string; readonly name: KindName }
  /**
   * The account has exactly one object of this kind, at `path` itself. It is never created or
   * retired, and Stripe gives it no id: it is called `single`.
   */
  readonly single?: string
  /** Parameters of every creation, unless the fields set them. */
  readonly always?: JsonObject | ((form: JsonObject) => JsonObject)
  /** Additional marks: parameters that Stripe accepts but does not return. */
  readonly extraMarks?: (form: JsonObject) => Readonly<Record<string, string>>
  /** The field that names where to store the secret that a creation returns once. */
  readonly secretTo?: string
  /** Whether the creation of this entry returns a secret; always by default. */
  readonly hasSecret?: (value: JsonObject) => boolean
  /** The secret in the answer to a creation; its `secret` by default. */
  readonly secretIn?: (answer: StripeObject) => Json | undefined
}

/** The address of a live object in Stripe's API. */
export function objectPath(kind: Kind, id: string): string {
  return kind.single === undefined ? `${kind.path}/${id}` : kind.path
}
