import { instant, type Instant } from '../core/instant.ts'

/** Answers to requests that were sent at the same time may arrive in another order. */
const jitterSeconds = 120
/**
 * The form of `Date` in HTTP. JavaScript reads other texts as dates as well: `1` is a day in 2001.
 */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
/** Earlier dates are before Stripe began, and later ones after the life of this program. */
const [earliest, latest] = [Date.UTC(2011, 0) / 1_000, Date.UTC(2100, 0) / 1_000]

export interface AnsweredClock {
  readonly hear: (headers: Headers) => void
  readonly now: () => Instant
  /** Seconds of the machine since an answer had a date; negative after its clock was set back. */
  readonly silence: () => number
}

/**
 * The time in Stripe's answers. In a sandbox this is simulated time, so it does not advance on its
 * own and may jump ahead. A proxy may send any date:
 *
 * | date in the answer | newest date unconfirmed   | newest date confirmed by another |
 * |--------------------|---------------------------|----------------------------------|
 * | a little earlier   | keep the newest           | keep the newest                  |
 * | later              | take it                   | take it                          |
 * | much earlier       | take it: the jump was odd | only when a second one agrees    |
 *
 * One wrong date is therefore corrected by the next right one.
 */
export function answeredClock(clock: () => number): AnsweredClock {
  let newest: number | undefined
  let heardAt = clock()
  /** Whether a second answer agrees with the newest date. */
  let isConfirmed = false
  let earlier: number | undefined
  const agree = (one: number, other: number): boolean => Math.abs(one - other) <= jitterSeconds
  return {
    hear(headers) {
      const said = readDate(headers.get('date'))
      if (said === undefined) return
      heardAt = clock()
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
    silence: () => (newest === undefined ? 0 : (clock() - heardAt) / 1_000),
  }
}

function readDate(text: string | null): number | undefined {
  if (text === null || !httpDate.test(text)) return undefined
  const seconds = Math.floor(Date.parse(text) / 1_000)
  return seconds >= earliest && seconds <= latest ? seconds : undefined
}
