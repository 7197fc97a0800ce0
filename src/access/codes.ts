/** What happened outside to access that Crossbill gave. */
export const accessDriftCodes = {
  access_taken: {
    meaning: 'Crossbill gave this offer, its member pays for it, and somebody took it away in Kajabi.',
    fix: '`crossbill apply` gives it again. Where it was taken on purpose, exclude the subscriber with a reason or cancel the subscription: in Kajabi a revoke is not a cancel.',
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly fix: string }>>

export type AccessDriftCode = keyof typeof accessDriftCodes
