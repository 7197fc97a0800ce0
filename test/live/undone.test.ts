import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { isUndone } from '../../src/live/subscription.ts'
import { pauseGivenBack, undoneWords } from '../../src/live/undone.ts'

const cancelled = (comment: string): Stripe.Subscription =>
  ({ status: 'canceled', cancellation_details: { comment } }) as unknown as Stripe.Subscription

test.each([
  [undefined],
  [null],
  [{ behavior: 'void', resumes_at: null }],
  [{ behavior: 'keep_as_draft', resumes_at: 1_780_272_000 }],
])('the comment of the cancel of a revert or an undo gives back the pause that it was written with: %o', (pause) => {
  const one = cancelled(undoneWords('us/sub_1', pause))
  expect(isUndone(one)).toBe(true)
  expect(pauseGivenBack(one)).toEqual(pause)
})

test.each(['crossbill settled, continues as sub_2', 'left, paused void'])('no other comment does: %s', (comment) =>
  expect(pauseGivenBack(cancelled(comment))).toBeUndefined(),
)
