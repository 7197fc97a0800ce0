import type Stripe from 'stripe'

/**
 * An object of the SDK's types as it is sent: decimals are texts, and a rendered object never
 * changes.
 */
export type Wire<T> = T extends Stripe.Decimal
  ? string
  : T extends readonly (infer E)[]
    ? readonly Wire<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Wire<T[K]> }
      : T
