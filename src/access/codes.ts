/** Changes made outside Crossbill to access that Crossbill granted. */
export const accessDriftCodes = {
  access_taken: {
    meaning: 'Crossbill granted this offer and the member pays for it, but the offer was revoked in Kajabi.',
    fix: '`crossbill apply` grants it again. If it was revoked on purpose, exclude the subscriber with a reason or cancel the subscription: in Kajabi a revoke is not a cancel.',
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly fix: string }>>

export type AccessDriftCode = keyof typeof accessDriftCodes
