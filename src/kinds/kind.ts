import type { TSchema } from 'typebox'
import type { Instant } from '../core/instant.ts'
import type { Json, JsonObject, StripeObject } from '../core/json.ts'

export type KindName =
  | 'product'
  | 'price'
  | 'tax_rate'
  | 'coupon'
  | 'promotion_code'
  | 'webhook_endpoint'
  | 'portal_configuration'
  | 'feature'
  | 'meter'
  | 'shipping_rate'

/**
 * What may happen to a field after its object exists:
 * - `mutable`         an update changes it; leaving it out of the YAML unsets it
 * - `fixed`           Stripe never changes it: another value is another object
 * - `fixed_once_set`  it may go from its default to a value once, then it is fixed
 * - `grows`           a map whose entries may be added, never changed or removed: people are billed by them
 * - `chosen`          ours to choose when the object is created and how it is found again (ids); never compared
 * - `written`         written once and never read back (where a secret goes, what a price change means)
 * - `ignored`         Stripe's own: counters, links, mirrors of other fields
 * - `refused`         a parameter of Stripe that the YAML does not offer, since another word of it says the same
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

/** Turns keys of the catalog into what stands for them at Stripe, and back. */
export interface References {
  /** The object's id, or `{ $ref: address }` while an earlier step of the same plan has yet to create it. */
  toStripe(kind: KindName, key: string): Json
  /** The key of a live object; its id in brackets when it is not one of this catalog's. */
  toKey(kind: KindName, id: string): string
  /** The account's time, for what Stripe switches off when its time has come. */
  readonly now?: Instant
}

/** What another value takes: a request on the object, another object, or nothing that Stripe offers. */
export type Takes = 'update' | 'replace' | 'refuse'

export interface Field {
  readonly policy: FieldPolicy
  /** Stripe fills it in by itself, or cannot empty it again: compared, entry by entry, only where the YAML says something. */
  readonly silent?: 'left_alone'
  /** What another value takes where the policy alone does not say. */
  readonly takes?: (live: Json | undefined, desired: Json | undefined) => Takes
  /** Stripe takes it in updates only: a creation is followed by one where it is said. */
  readonly afterwards?: true
  /** The value that says nothing: both sides leave it out before they are compared. */
  readonly default?: Json
  /** One form for equal values (order of sets, decimals), on both sides, in the YAML's terms. */
  readonly canonical?: (value: Json) => Json | undefined
  /** What a canonical value means, where two of them mean the same (a tier's absent amount is a zero); itself when absent. */
  readonly meaning?: (value: Json) => Json
  /**
   * Paths within the object that Stripe returns only when they are asked for. `*` stands for the keys of a map, which
   * have to be read first: such a path is asked for object by object, where `hides` says that there is something.
   */
  readonly expands?: readonly string[]
  /** Whether a path with `*` hides anything in this object; always when absent. */
  readonly hides?: (live: StripeObject) => boolean
  /** The live object's value in the YAML's terms; the field of the same name when absent. */
  readonly read?: (live: StripeObject, references: References) => Json | undefined
  /** The YAML's value in the terms of a request. */
  readonly write?: (value: Json, references: References) => Json
  /** The parameters of an update that sets it (`undefined`: unsets it); `{ name: value }`, null when unset, when absent. */
  readonly update?: (value: Json | undefined, references: References) => JsonObject
  /** Where it stands in objects of their own: the requests that bring them from what is live to what is said. */
  readonly requests?: (live: StripeObject, value: Json, references: References) => readonly PartRequest[]
  /** Where Stripe changes it by a request of its own: what follows the object's path. */
  readonly action?: (value: Json | undefined) => string
}

/** What every Stripe object has and nobody writes, and what every request accepts. */
type Universal = 'id' | 'object' | 'created' | 'updated' | 'livemode' | 'deleted' | 'expand'

/**
 * A policy for every field of the object and of its create and update parameters, by the SDK's own types: a field Stripe adds
 * does not compile until it has one. `Own` are the YAML's additional words.
 */
export type FieldsOf<Live, Create, Update, Own extends string = never> = {
  readonly [Name in Exclude<keyof Live | keyof Create | keyof Update, Universal> | Own]: Field
}

/** A use of another object of the catalog, for the rule that there are no unknown ones and for the order of work. */
export interface Use {
  readonly kind: KindName
  readonly key: string
  /** Where in the entry: `['recurring', 'meter']`. */
  readonly path: readonly (string | number)[]
}

/** One request about a part of an object, which is an object of its own below it. */
export interface PartRequest {
  /** `attach:export`; unique among the requests of a change. */
  readonly id: string
  readonly method: 'POST' | 'DELETE'
  /** What follows the object's path: `/features`. */
  readonly suffix: string
  readonly params: JsonObject
}

/** One request about a live object. */
export interface Request {
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
}

/**
 * A kind of object in the target's catalog: everything the program knows about it, in one file, as data and pure functions.
 * Adding a kind is one file and one line in registry.ts.
 */
export interface Kind {
  readonly name: KindName
  /** The map it is written in: `prices:`. */
  readonly section: string
  /** The file that holds the section by convention. */
  readonly file: string
  /** Stripe's page about it. */
  readonly docs: string
  /** One entry of the YAML map. */
  readonly schema: TSchema
  readonly path: string
  /** The filters of the lists that together return every object; what to expand follows from the fields. */
  readonly lists: readonly JsonObject[]
  readonly fields: Readonly<Record<string, Field>>
  /** Whether its metadata can carry our marks; without, the natural key alone is its identity. */
  readonly marks: boolean
  /** The id we choose on creation. */
  readonly ownId?: (key: string, value: JsonObject) => string
  /** What tells two objects of this kind apart beyond ids and marks, as Stripe enforces it. */
  readonly naturalKey?: {
    readonly name: string
    /** Whether Stripe refuses a second object with the same one. Otherwise it only helps to recognise an object. */
    readonly unique: boolean
    readonly desired: (key: string, value: JsonObject) => string | undefined
    readonly live: (object: StripeObject) => string | undefined
  }
  /** The entry with different spellings of the same made one, where a single field cannot tell (two fields for one amount). */
  readonly spelling?: (value: JsonObject) => JsonObject
  readonly uses: (value: JsonObject) => readonly Use[]
  /** Replacing makes the new one first, unless Stripe lets only one of them exist. */
  readonly replaceOrder: 'create_first' | 'retire_first'
  /** Whether it is out of use already, so that nothing is left to retire. */
  readonly retired: (live: StripeObject) => boolean
  /** Takes it out of use; never deletes what holds history. Undefined when Stripe has no way and it only loses its marks. */
  readonly retire: (live: StripeObject) => Request | undefined
  /** Objects below each of this kind, which a list of their own shows: read where the account has any of the kind that they name. */
  readonly parts?: { readonly field: string; readonly suffix: string; readonly name: KindName }
  /** Parameters of a creation where the fields are silent. */
  readonly always?: JsonObject
  /** Marks beside the usual ones: what Stripe takes and never shows again. */
  readonly extraMarks?: (form: JsonObject) => Readonly<Record<string, string>>
  /** The key of the entry whose value is told to a sink, once, from the answer to a creation. */
  readonly secretTo?: string
}
