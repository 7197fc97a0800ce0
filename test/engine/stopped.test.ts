import { expect, test } from 'vitest'
import { CommandError } from '../../src/core/outcome.ts'
import { ApplyStopped } from '../../src/engine/apply/stopped.ts'

const one = { address: 'product.p', action: 'create', outcome: 'done' } as const
const notDone = (done: ApplyStopped['done']): string | undefined =>
  new ApplyStopped(new CommandError('secret_unwritable', 'no place for the secret'), done).notDone

test.each([
  ['a change of the plan was finished', { recovered: [], changes: [one] }, /^the rest of this plan was not sent$/],
  ['only earlier work was recovered', { recovered: [one], changes: [] }, /^nothing of this plan was sent/],
  // The object was created, and what followed its creation failed.
  [
    'no change was finished',
    { recovered: [], changes: [] },
    /^no change of this plan was finished; requests were sent$/,
  ],
] as const)('promise 12: a stopped apply says what was sent, when %s', (_, done, said) => {
  expect(notDone(done)).toMatch(said)
})
