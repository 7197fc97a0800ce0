import type Stripe from 'stripe'

/** An object of the SDK's types as it travels: decimals are texts, and ids are never expanded by a renderer. */
export type Wire<T> = T extends Stripe.Decimal
  ? string
  : T extends readonly (infer E)[]
    ? readonly Wire<E>[]
    : T extends object
      ? Extract<T, { object: string; id: string }> extends never
        ? { readonly [K in keyof T]: Wire<T[K]> }
        : { readonly [K in keyof T]: Wire<T[K]> }
      : T
