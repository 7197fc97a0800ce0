import { Chalk } from 'chalk'
import { expect, test } from 'vitest'
import { driftMarkdown, driftText } from '../../src/cli/render/drift-text.ts'
import type { Drift } from '../../src/plan/types.ts'

const object: Drift = { address: 'product.club', code: 'changed_outside', message: 'name was changed', patch: [] }
const person: Drift = { address: 'subscriber.us/sub_1', code: 'cancelled_in_source', message: 'it ends', patch: [] }

test.each([
  ['objects', [object], true, false],
  ['people', [person], false, true],
  ['both', [object, person], true, true],
])('drift of %s: the advice is about what changed', (_what, drift, pulls, verifies) => {
  const result = { accounts: { target: { id: 'acct_1', livemode: false } }, drift }
  for (const text of [driftText(result, new Chalk({ level: 0 })), driftMarkdown(result)]) {
    expect(text.includes('crossbill pull')).toBe(pulls)
    expect(text.includes('crossbill verify')).toBe(verifies)
  }
})
