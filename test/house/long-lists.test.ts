import { expect, test } from 'vitest'
import { sourcesBelow } from './sources.ts'

// A call takes no more than about 125,000 arguments: with as many subscribers it fails.
const spread = /\.(?:push|unshift)\(\s*\.\.\./g

test('no list is added to another by a spread into a call: addAll of core/lists.ts takes any length', () => {
  expect('found.push(\n  ...more,\n)').toMatch(spread)
  const found = sourcesBelow('src').flatMap(({ path, text }) => [...text.matchAll(spread)].map(() => path))
  expect(found).toEqual([])
})
