import type Stripe from 'stripe'

/**
 * An object of the SDK's types as it travels: decimals are texts, and nothing is changed once it is
 * rendered.
 */
export type Wire<T> = T extends Stripe.Decimal
  ? string
  : T extends readonly (infer E)[]
    ? readonly Wire<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Wire<T[K]> }
      : T
