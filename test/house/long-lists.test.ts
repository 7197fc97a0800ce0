import { expect, test } from 'vitest'
import { sourcesBelow } from './sources.ts'

// A call takes no more than about 125,000 arguments: with as many subscribers it fails.
const spread = /\.(?:push|unshift)\(\s*\.\.\./g

test('no list is added to another by a spread into a call: addAll of core/lists.ts takes any length', () => {
  expect('found.push(\n  ...more,\n)').toMatch(spread)
  const found = sourcesBelow('src').flatMap(({ path, text }) => [...text.matchAll(spread)].map(() => path))
  expect(found).toEqual([])
})

// Copied for each entry, the list of a key with 100,000 entries takes minutes.
const copied = /\.set\([^\n]*\[\.\.\.\([^\n]*\.get\([^\n]* \?\? \[\]\), [^.\n]/g

test('no entry is added to the list of a key by a copy of the list: addTo of core/lists.ts does not copy', () => {
  expect('found.set(key, [...(found.get(key) ?? []), one])').toMatch(copied)
  const found = sourcesBelow('src').flatMap(({ path, text }) => [...text.matchAll(copied)].map(() => path))
  expect(found).toEqual([])
})
