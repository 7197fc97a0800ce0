import { expect, test } from 'vitest'
import { CommandError } from '../../src/core/outcome.ts'
import { ApplyStopped } from '../../src/engine/apply/stopped.ts'

const one = { address: 'product.p', action: 'create', outcome: 'done' } as const
const moved = { address: 'subscriber.us/sub_1', action: 'move', outcome: 'done' } as const
const elsewhere = { ...moved, by: 'another_run' } as const
const notDone = (done: ApplyStopped['done']): string | undefined =>
  new ApplyStopped(new CommandError('secret_unwritable', 'no place for the secret'), done).notDone

test.each([
  [
    'a change of the plan was finished',
    { recovered: [], changes: [one], sentByRecovery: 0, sentByPlan: 1 },
    'the rest of this plan was not sent',
  ],
  [
    'only earlier work was recovered',
    { recovered: [moved], changes: [], sentByRecovery: 3, sentByPlan: 0 },
    'the recovery of earlier work sent requests, and the rest of this plan was not sent',
  ],
  // The recovery finished what the plan wanted: "nothing of this plan was sent" would be untrue.
  [
    'the recovery finished a change of the plan',
    { recovered: [moved], changes: [moved], sentByRecovery: 3, sentByPlan: 0 },
    'the recovery of earlier work sent requests, and the rest of this plan was not sent',
  ],
  [
    'the recovery itself stopped',
    { recovered: [], changes: [], sentByRecovery: 2, sentByPlan: 0 },
    'the recovery of earlier work sent requests, and the rest of this plan was not sent',
  ],
  // The object was created, and what followed its creation failed.
  [
    'no change was finished',
    { recovered: [], changes: [], sentByRecovery: 0, sentByPlan: 1 },
    'requests of this plan were sent, and none of its changes was finished',
  ],
  [
    'another run finished the only change',
    { recovered: [], changes: [elsewhere], sentByRecovery: 1, sentByPlan: 1 },
    'the recovery of earlier work sent requests; requests of this plan were sent, and none of its changes was finished',
  ],
] as const)('promise 12: a stopped apply says what was sent, when %s', (_, done, said) => {
  expect(notDone(done)).toBe(said)
})
