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
/** Requests of one process wait for each other, so a long spacing would hold back cancels. */
const slowestMilliseconds = 5_000
/** After a refusal, requests do not come as near again as when they were refused. */
const margin = 1.2

/**
 * Learns the rate from the answers, because Kajabi documents none. A refusal halves it; twenty
 * answers without one raise it by a tenth, up to the fastest rate or to a fifth below the rate that
 * was refused. Below the first rate every answer raises it, so that a service that runs for months
 * comes back to the first rate. How long an answer asks to wait concerns the request that was
 * refused: its caller tries again then, and other requests do not wait in line behind it.
 */
export class Pace {
  readonly #first: number
  #spacing: number
  #fastest: number
  #good = 0
  #free = 0

  constructor({ spacing, fastest = spacing }: Pacing) {
    this.#first = spacing
    this.#spacing = spacing
    this.#fastest = Math.min(spacing, fastest)
  }

  /** When a request that is ready at `now` may start; takes its place. */
  start(now: number): number {
    const start = Math.max(now, this.#free)
    this.#free = start + this.#spacing
    return start
  }

  accepted(): void {
    this.#good += 1
    if (this.#good < goodInARow && this.#spacing <= this.#first) return
    this.#good = 0
    this.#spacing = Math.max(this.#fastest, this.#spacing * faster)
  }

  refused(now: number): void {
    this.#good = 0
    this.#fastest = Math.min(this.#first, Math.max(this.#fastest, this.#spacing * margin))
    const slowest = Math.max(slowestMilliseconds, this.#first)
    this.#spacing = Math.min(slowest, Math.max(this.#fastest, this.#spacing * slower))
    this.#free = Math.max(this.#free, now + this.#spacing)
  }
}
