import { expect, test } from 'vitest'
import { sourcesBelow } from './sources.ts'

/** Selectors outside of media queries that a style sheet names twice with the same properties. */
function repeated(style: string): readonly string[] {
  const plain = style.replaceAll(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '')
  const set = [...plain.matchAll(/([^{}]+)\{([^{}]*)\}/g)].flatMap(([, selectors = '', body = '']) =>
    selectors.split(',').flatMap((selector) =>
      body
        .split(';')
        .filter((property) => property !== '')
        .map((property) => `${selector.trim()} ${property.split(':')[0] ?? ''}`),
    ),
  )
  return set.filter((one, at) => set.indexOf(one) !== at)
}

// A merge that keeps both sides repeats rules, and joins the end of one to the start of another.
test('no style sheet sets a property of a selector twice', () => {
  expect(repeated('a{color:red}b{color:red}@media print{a{color:black}}')).toEqual([])
  expect(repeated('nav{margin:0}details nav{margin:0}nav{margin:0;color:red}')).toEqual(['nav margin'])
  const styles = sourcesBelow('src').flatMap(({ path, text }) =>
    [...text.matchAll(/const \w*style\w* = `([^`]*)`/gi)].map(([, style = '']) => ({ path, twice: repeated(style) })),
  )
  expect(styles.length).toBeGreaterThan(1)
  expect(styles.filter(({ twice }) => twice.length > 0)).toEqual([])
})
