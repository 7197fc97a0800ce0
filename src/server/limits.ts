/**
 * How many requests a minute one address may send to each door without a valid secret. Each door
 * has a budget of its own: a flood at one closes no other. `setting` stands for
 * `serve.requests_per_minute`. The page docs/doors.md has the same table; a test compares the two
 * and the service.
 */
export const doorLimits = {
  'GET /kajabi/hooks/:secret': 'setting',
  'POST /kajabi/hooks/:secret': 'setting',
  'POST /cancel': 'setting',
  'POST /stripe/webhooks/:account': 'setting',
  'GET /cancel/:token': 'setting',
  // A whole office may share one address.
  'POST /cancel/:token': 60,
  // Each press costs requests to Stripe.
  'GET /card/:token': 60,
  'POST /card/:token': 20,
  // A load balancer asks once a second, and must never be refused for the sake of another sender.
  'GET /livez': 6_000,
  'GET /readyz': 6_000,
} as const satisfies Readonly<Record<string, number | 'setting'>>

export type LimitedDoor = keyof typeof doorLimits

/** The options of the route with this limit. */
export function limitOf(door: LimitedDoor): {
  readonly rateLimit: { readonly timeWindow: number; readonly max?: number }
} {
  const most = doorLimits[door]
  // An object of its own gives the route a budget of its own.
  return { rateLimit: { timeWindow: 60_000, ...(most === 'setting' ? {} : { max: most }) } }
}
