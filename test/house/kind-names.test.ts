import { expect, test } from 'vitest'
import { sourcesBelow } from './sources.ts'

const byName = /\bkind\.name (===|!==)|switch \(kind\.name\)/

/**
 * Places outside `src/kinds` that ask for the name of a kind, with the number of lines and the
 * reason. A new kind must not need a place in this list: what a kind does differently is a field of
 * the kind.
 */
const reasons: Readonly<Record<string, readonly [lines: number, why: string]>> = {
  'src/plan/resources/change.ts': [3, 'a product names its default price, and a price names its product'],
  'src/plan/resources/steps.ts': [1, 'the default price of a product needs the product first'],
  'src/plan/resources/refusals.ts': [1, 'amounts are checked where there are amounts'],
  'src/plan/resources/retire.ts': [2, 'subscriptions hold prices; a price can be the default of a product'],
  'src/pull/target.ts': [3, 'the names that pull gives are words about the terms of the kind'],
  'src/pull/consolidate.ts': [1, 'when two objects of two accounts are one depends on what members see of the kind'],
}

function asked(files: readonly { readonly path: string; readonly text: string }[]): Record<string, number> {
  const outside = files.filter(({ path }) => !/^src\/(kinds|sandbox)\//.test(path))
  const counts = outside.map(({ path, text }) => [path, text.split('\n').filter((line) => byName.test(line)).length])
  return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as Record<string, number>
}

test('no code outside src/kinds asks for the name of a kind without a reason', () => {
  expect(asked([{ path: 'src/plan/a.ts', text: "if (kind.name === 'price') return" }])).toEqual({ 'src/plan/a.ts': 1 })
  const allowed = Object.fromEntries(Object.entries(reasons).map(([path, [lines]]) => [path, lines]))
  expect(asked(sourcesBelow('src'))).toEqual(allowed)
})
