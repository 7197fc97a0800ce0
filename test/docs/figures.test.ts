import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { benches } from '../bench/benches.ts'
import { sectionOf, withSection } from '../bench/page.ts'

const page = readFileSync(new URL('../../docs/figures.md', import.meta.url), 'utf8')
const names = Object.keys(benches)

describe('docs/figures.md is what the bench writes', () => {
  const sections = page.split(/^(?=## )/m).slice(1)

  test('each section is a bench, in their order', () => {
    const written = sections.map((one) => /^## (.*)$/m.exec(one)?.[1] ?? '')
    expect(written.length).toBeGreaterThan(2)
    expect(written).toEqual(names.filter((name) => written.includes(name)))
  })

  test.each(sections)(
    'a section names its day and machine, and each figure has a value, a goal and a verdict',
    (one) => {
      const [head, blank, when, ...rest] = one.trimEnd().split('\n')
      expect([head, blank]).toEqual([expect.stringMatching(/^## \w+$/), ''])
      expect(when).toMatch(/^\d{4}-\d\d-\d\d, \d+ × .+, \d+ GiB, \w+, Node v\d+\.\d+\.\d+$/)
      expect(rest.slice(0, 3)).toEqual(['', '| figure | measured | goal | |', '|---|---|---|---|'])
      expect(rest.length).toBeGreaterThan(3)
      for (const row of rest.slice(3))
        expect(row).toMatch(/^\| [^|]+ \| [^|]+ \| [^|]+ \| (reached|\*\*missed\*\*) \|$/)
    },
  )

  test('a bench replaces its own section and leaves the others', () => {
    const figure = { what: 'moves', reach: '≥ 11 a second', measured: '11.3 a second', ok: true }
    const once = withSection('# Figures\n\nText.\n', names, sectionOf('move', [figure]))
    const both = withSection(once, names, sectionOf('refresh', [{ ...figure, ok: false }]))
    expect(both.match(/^## .*$/gm)).toEqual(['## refresh', '## move'])
    expect(withSection(both, names, sectionOf('move', [figure]))).toBe(both)
    expect(both).toContain('| moves | 11.3 a second | ≥ 11 a second | **missed** |')
  })
})
