/** Time for the limiter; tests bring their own. */
export interface Timing {
  /** Milliseconds since any fixed point; never decreases. */
  milliseconds(): number
  sleep(milliseconds: number): Promise<void>
}

/** Requests per second: of the whole account, and of each operation. */
export interface Rates {
  readonly account: number
  readonly operation: number
}

/**
 * Stripe's limits (https://docs.stripe.com/rate-limits): 100 per second live and 25 in a sandbox,
 * and 25 of each operation. Requests are evenly spaced and four percent slower, so that no second
 * of Stripe's count exceeds the limit.
 */
export function stripeRates(livemode: boolean): Rates {
  return { account: (livemode ? 100 : 25) * 0.96, operation: 25 * 0.96 }
}

export interface Limits {
  /** Resolves when this operation may be sent. */
  turn(operation: string): Promise<void>
  /** Sends nothing of this operation (of the whole account when undefined) for that long. */
  hold(operation: string | undefined, milliseconds: number): void
}

/**
 * Even spacing per operation and per account. A request that waits for a held operation takes no
 * place in the queue of the account.
 */
export function createLimits(rates: Rates, timing: Timing): Limits {
  const account = lane(rates.account, timing)
  const operations = new Map<string, Lane>()
  const of = (operation: string): Lane => {
    const known = operations.get(operation)
    if (known !== undefined) return known
    const made = lane(rates.operation, timing)
    operations.set(operation, made)
    return made
  }
  return {
    async turn(operation) {
      await of(operation).turn()
      await account.turn()
    },
    hold(operation, milliseconds) {
      const held = operation === undefined ? account : of(operation)
      held.hold(milliseconds)
    },
  }
}

/** How early a timer may fire. */
const timerMilliseconds = 0.5
/**
 * How much of a delay may be caught up by faster sending: as much as the four percent allow in any
 * second.
 */
const caughtUpMilliseconds = 40

interface Lane {
  turn(): Promise<void>
  hold(milliseconds: number): void
}

function lane(rate: number, timing: Timing): Lane {
  const gap = 1_000 / rate
  let free = 0
  let heldUntil = 0
  let due = -Infinity
  return {
    async turn() {
      while (true) {
        const now = timing.milliseconds()
        const place = Math.max(now, free, heldUntil)
        free = place + gap
        if (place > now) await timing.sleep(place - now)
        // A process that was suspended wakes after many of its places have passed. They are spaced
        // again, counted from the requests that were sent.
        for (let early = due - timing.milliseconds(); early > timerMilliseconds; early = due - timing.milliseconds())
          await timing.sleep(early)
        // A hold that began meanwhile moves this request to the end of the queue, so that no burst
        // follows the hold.
        if (heldUntil > place) continue
        due = Math.max(due, timing.milliseconds() - caughtUpMilliseconds) + gap
        return
      }
    },
    hold(milliseconds) {
      heldUntil = Math.max(heldUntil, timing.milliseconds() + milliseconds)
    },
  }
}

const families = new Set(
  'billing billing_portal checkout climate core entitlements financial_connections forwarding identity issuing radar reporting sigma tax terminal test_helpers treasury'.split(
    ' ',
  ),
)
const collectionActions = new Set(['create_preview', 'search', 'upcoming'])

/**
 * `POST /v1/subscriptions/:id` for `POST /v1/subscriptions/sub_…`: the operation that Stripe's
 * limit per operation counts.
 */
export function operationName(method: string, path: string): string {
  const [version = '', ...segments] = path.split('/').slice(1)
  const idAt = families.has(segments[0] ?? '') ? 2 : 1
  const named = segments.map((segment, index) => {
    const isId = index === idAt ? !collectionActions.has(segment) : index === idAt + 2
    return isId ? ':id' : segment
  })
  return `${method} /${[version, ...named].join('/')}`
}
