/** Time for the limiter; a test provides its own. */
export interface Timing {
  /** Milliseconds from any fixed point, never going back. */
  milliseconds(): number
  sleep(milliseconds: number): Promise<void>
}

/** Requests a second: of the whole account, and of any one operation. */
export interface Rates {
  readonly account: number
  readonly operation: number
}

/**
 * What Stripe allows (https://docs.stripe.com/rate-limits): 100 a second live and 25 in a sandbox,
 * and 25 of any one operation. Requests are spaced evenly and four per cent wider, so that no
 * second of Stripe's counting ever sees more than it allows.
 */
export function stripeRates(livemode: boolean): Rates {
  return { account: (livemode ? 100 : 25) * 0.96, operation: 25 * 0.96 }
}

export interface Limits {
  /** Waits until this operation may be sent. */
  turn(operation: string): Promise<void>
  /** Nothing of this operation (of the whole account when undefined) is sent for that long. */
  hold(operation: string | undefined, milliseconds: number): void
}

/**
 * Even spacing per operation and per account. A request that waits for a held operation takes no
 * place in the account's queue.
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

/** What a timer may be early by. */
const timerMilliseconds = 0.5
/**
 * How much of a delay may be made up by sending faster: as much as the four per cent allow in any
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
        // A process that was stopped wakes past many places at once. They are spaced again, counted
        // from the requests that were sent.
        for (let early = due - timing.milliseconds(); early > timerMilliseconds; early = due - timing.milliseconds())
          await timing.sleep(early)
        // A hold that came meanwhile sends this request to the end of the queue, so that no burst
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
  'billing billing_portal checkout climate entitlements financial_connections forwarding identity issuing radar reporting sigma tax terminal test_helpers treasury'.split(
    ' ',
  ),
)
const collectionActions = new Set(['create_preview', 'search', 'upcoming'])

/**
 * `POST /v1/subscriptions/:id` for `POST /v1/subscriptions/sub_…`: the operation that Stripe's
 * per-operation limit counts.
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
