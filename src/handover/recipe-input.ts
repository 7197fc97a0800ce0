import type Stripe from 'stripe'
import type { DesiredSubscriber, Policies } from '../catalog/types.ts'
import type { Instant } from '../core/instant.ts'
import type { EnteredCard } from '../live/entered-card.ts'
import type { SourceSubscription } from '../live/source.ts'
import type { CatalogIndex } from './references.ts'
import type { CopyMap } from './types.ts'

/** The input of a recipe: one old subscription and everything it refers to. */
export interface RecipeInput {
  readonly project: string
  readonly desired: DesiredSubscriber
  readonly old: SourceSubscription
  readonly customerOld: Stripe.Customer | undefined
  readonly customerNew: Stripe.Customer
  readonly index: CatalogIndex
  readonly copyMap: CopyMap
  /** The card that the member entered in the target for this subscription. */
  readonly entered: EnteredCard | undefined
  readonly policies: Policies
  readonly now: Instant
  /**
   * The customer's subscription that renews first: a customer-level `once` discount applies to it
   * alone.
   */
  readonly onceGoesTo: string | null
  /**
   * Subscriptions of the target's customer are charged to different methods, so the customer's
   * default cannot be right for all.
   */
  readonly sharesDefault: boolean
  /**
   * The customer's default in the target is a copied method that no live subscription there is
   * charged to: an earlier move set it, or the copy did. No member chose it.
   */
  readonly isDefaultFree: boolean
}
