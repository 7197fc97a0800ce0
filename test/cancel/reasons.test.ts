import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deadReasons, explainEnd, ignoredReasons, reasonCode } from '../../src/cancel/reasons.ts'
import { commandTable } from '../../src/cli/commands.ts'
import { root } from '../house/sources.ts'

const explain = (state: string, reason: string) => explainEnd({ id: 'sig_1', state, reason })
const refused = explain('dead', 'card_declined: no')

describe('every reason says what happened and what to do next', () => {
  const all = [
    ...ignoredReasons.map((reason) => ['ignored', reason] as const),
    ...deadReasons.map((reason) => ['dead', reason] as const),
    ['dead', 'given up after 8 tries: timeout'] as const,
    ['dead', 'resource_missing: No such subscription'] as const,
    ['ignored', 'was a test'] as const,
  ]
  const commands = commandTable.flatMap(({ usage, family }) => {
    const [name = ''] = usage.split(' ')
    return family === undefined ? [name] : family.map((one) => `${name} ${one.usage.split(' ')[0]}`)
  })

  it.each(all)('%s: %s', (state, reason) => {
    const { means = '', next = '', command = '' } = explain(state, reason) ?? {}
    for (const sentence of [means, next]) expect(sentence).toMatch(/^[A-Z].{15,}\.$/)
    const quiet = next === 'No action is needed.'
    const named = commands.filter((one) => `${command} `.startsWith(`crossbill ${one} `))
    expect(named).toHaveLength(quiet ? 0 : 1)
    // A dead letter always waits for a person.
    expect(quiet && state === 'dead').toBe(false)
  })

  it('entries that wait or are done have no explanation', () => {
    for (const state of ['received', 'verifying', 'cancelling', 'retry', 'done'])
      expect(explain(state, 'nobody')).toBeUndefined()
  })

  it('the code is the text before the colon, and the command names the entry', () => {
    expect(reasonCode('ambiguous: several subscriptions match: us/sub_1, us/sub_2')).toBe('ambiguous')
    expect(explain('dead', 'ambiguous: several subscriptions match: us/sub_1, us/sub_2')).toEqual(
      explain('dead', 'ambiguous'),
    )
    expect(explain('dead', 'source_unknown: the project has no source eu')?.command).toBe(
      'crossbill inbox redrive sig_1',
    )
    expect(explain('dead', 'given up after 8 tries: timeout')?.means).toContain('about eight hours')
    expect(explain('ignored', 'was a test')?.means).toContain('An operator discarded this')
  })
})

// The types do not check this: failures may have any code, and a final failure ends a signal.
it('every final refusal of the service has its own explanation', () => {
  const sources = globSync(['src/engine/inbox/*.ts', 'src/kajabi/*.ts'], { cwd: root })
  const codes = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/kind: '(?:rejected|conflict)',\s*code: '(\w+)'/g)].map(
      ([, code = '']) => code,
    ),
  )
  expect(codes.length).toBeGreaterThan(8)
  expect(codes.filter((code) => explain('dead', `${code}: why`) === undefined)).toEqual([])
  expect(codes.filter((code) => explain('dead', `${code}: why`)?.means === refused?.means)).toEqual([])
})
