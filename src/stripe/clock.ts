import { instant, type Instant } from '../core/instant.ts'

/** Answers that were sent at the same time may arrive in another order. */
const jitterSeconds = 120
/**
 * The form of `Date` in HTTP. Other texts are read as dates by JavaScript as well: `1` is a day in
 * 2001.
 */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
/** Stripe is younger than that, and this program older than the other. */
const [earliest, latest] = [Date.UTC(2011, 0) / 1_000, Date.UTC(2100, 0) / 1_000]

export interface AnsweredClock {
  readonly hear: (headers: Headers) => void
  readonly now: () => Instant
}

/**
 * The time that Stripe's answers say. In a sandbox this is simulated time, so it never runs on by
 * itself, and may jump ahead. A proxy may say anything:
 *
 * | the answer says           | after one that jumped          | after two that agree                      |
 * |---------------------------|--------------------------------|-------------------------------------------|
 * | a little earlier          | the newest stays               | the newest stays                          |
 * | later                     | it is taken                    | it is taken                               |
 * | much earlier              | it is taken: the jump was odd  | only when a second answer says so as well |
 *
 * So one odd value never outlives the next good one.
 */
export function answeredClock(clock: () => number): AnsweredClock {
  let newest: number | undefined
  /** Whether an answer beside the newest one has said about the same. */
  let isConfirmed = false
  let earlier: number | undefined
  const agree = (one: number, other: number): boolean => Math.abs(one - other) <= jitterSeconds
  return {
    hear(headers) {
      const said = readDate(headers.get('date'))
      if (said === undefined) return
      if (newest === undefined) newest = said
      else if (agree(said, newest)) {
        newest = Math.max(newest, said)
        isConfirmed = true
        earlier = undefined
      } else if (said > newest || !isConfirmed || (earlier !== undefined && agree(said, earlier))) {
        isConfirmed = said < newest && earlier !== undefined
        newest = said
        earlier = undefined
      } else earlier = said
    },
    now: () => instant(newest ?? Math.floor(clock() / 1_000)),
  }
}

function readDate(text: string | null): number | undefined {
  if (text === null || !httpDate.test(text)) return undefined
  const seconds = Math.floor(Date.parse(text) / 1_000)
  return seconds >= earliest && seconds <= latest ? seconds : undefined
}
