/** How fast requests follow each other. */
export interface Pacing {
  /** Milliseconds between the starts of two requests at first. */
  readonly spacing: number
  /** The shortest spacing that answers may lead to; `spacing` when absent. */
  readonly fastest?: number
}

/** Answers without a refusal after which requests follow a little faster. */
const goodInARow = 20
const faster = 0.9
const slower = 2
const slowestMilliseconds = 30_000
/** After a refusal, requests never come as near again as when they were refused. */
const margin = 1.2

/**
 * Learns the rate from the answers, because Kajabi documents none: a refusal halves it and waits as
 * long as the answer asks, and twenty answers without one raise it by a tenth, up to the fastest
 * rate or to a fifth below the rate that was refused.
 */
export class Pace {
  #spacing: number
  #fastest: number
  #good = 0
  #free = 0
  #held = 0

  constructor({ spacing, fastest = spacing }: Pacing) {
    this.#spacing = spacing
    this.#fastest = Math.min(spacing, fastest)
  }

  /** When a request that is ready at `now` may start; takes its place. */
  start(now: number): number {
    const start = Math.max(now, this.#free, this.#held)
    this.#free = start + this.#spacing
    return start
  }

  accepted(): void {
    this.#good += 1
    if (this.#good < goodInARow) return
    this.#good = 0
    this.#spacing = Math.max(this.#fastest, this.#spacing * faster)
  }

  /** @param seconds how long the answer asks to wait; 0 when it does not say */
  refused(now: number, seconds: number): void {
    this.#good = 0
    this.#fastest = Math.min(slowestMilliseconds, Math.max(this.#fastest, this.#spacing * margin))
    this.#spacing = Math.min(slowestMilliseconds, Math.max(this.#fastest, this.#spacing * slower))
    this.#held = Math.max(this.#held, now + Math.max(seconds * 1_000, this.#spacing))
  }
}
