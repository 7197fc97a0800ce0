// Plays the cases against one test account, side by side, and says how it answers.
import Stripe from 'stripe'
import { assumedReading } from '../assumptions/questions.ts'
import type { RecordedAnswer } from '../assumptions/record.ts'
import { CommandError } from '../core/outcome.ts'
import { withoutAddresses } from '../core/without-addresses.ts'
import type { Case, Ground } from './case.ts'
import type { Created } from './created.ts'
import { prepare } from './ground.ts'

export interface Asking {
  readonly stripe: Stripe
  readonly cases: readonly Case[]
  readonly created: Created
  /** How many cases run at the same time; each waits mostly for Stripe's clocks. */
  readonly abreast: number
  /** Called after every case. */
  readonly told: (answer: RecordedAnswer) => void
  /** True when no further case may begin. */
  readonly stopped: () => boolean
}

export interface Answers {
  /** In the order of the cases. */
  readonly answers: readonly RecordedAnswer[]
  /** Ids that could not be removed from the account. */
  readonly left: readonly string[]
  readonly stopped: boolean
}

/** Runs every case, and puts away what they created, whatever happens. */
export async function askAccount(asking: Asking): Promise<Answers> {
  const { cases, stripe, created, told, stopped } = asking
  const answers = new Map<Case, RecordedAnswer>()
  let left: readonly string[] = []
  try {
    const ground = await prepared(stripe)
    const waiting = cases.values()
    const work = async (): Promise<void> => {
      // The workers share one iterator, so that each case runs once.
      for (const one of waiting) {
        if (stopped()) return
        const answer = await ask(one, ground)
        answers.set(one, answer)
        told(answer)
      }
    }
    await Promise.all(Array.from({ length: asking.abreast }, work))
  } finally {
    left = await created.putAway(stripe)
  }
  return { answers: cases.flatMap((one) => answers.get(one) ?? []), left, stopped: answers.size < cases.length }
}

/** What every case starts from. Without it, no case can be asked. */
async function prepared(stripe: Stripe): Promise<Ground> {
  try {
    return await prepare(stripe)
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    const said = withoutAddresses(error.message, '(an e-mail address)')
    throw new CommandError('test_account_refused', `the test account refused the first requests: ${said}`, {
      notDone: 'no case was asked, and nothing was written',
      fix: 'give the key the permissions that docs/to-confirm.md names, then run the command again',
      cause: error,
    })
  }
}

async function ask(one: Case, ground: Ground): Promise<RecordedAnswer> {
  const about = { case: one.name, row: one.grade === 'assumed' ? one.row : null }
  try {
    return { ...about, ...judged(one, await one.run(ground)) }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const seen = withoutAddresses(said, '(an e-mail address)')
    // Any refusal of a case with a precondition means that the account lacks it.
    const lacks = one.needs !== undefined && error instanceof Stripe.errors.StripeInvalidRequestError
    return lacks
      ? { ...about, verdict: 'not_asked', reading: null, seen: `the account does not have ${one.needs}` }
      : { ...about, verdict: 'failed', reading: null, seen }
  }
}

function judged(one: Case, seen: unknown): Pick<RecordedAnswer, 'verdict' | 'reading' | 'seen'> {
  const text = JSON.stringify(seen) ?? 'nothing'
  const is = (expected: unknown): boolean => text === JSON.stringify(expected)
  if (is(one.expected))
    return {
      verdict: 'as_assumed',
      reading: one.grade === 'assumed' ? (assumedReading(one.row) ?? null) : null,
      seen: null,
    }
  const other = one.grade === 'assumed' ? Object.entries(one.otherwise).find(([, expected]) => is(expected)) : undefined
  return { verdict: 'different', reading: other?.[0] ?? null, seen: text }
}
