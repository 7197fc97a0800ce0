import { describe, expect, test } from 'vitest'
import { floors, forbidden, unplaced, vacant } from './floors.ts'
import { hiddenImports, importsOf, sourcesBelow } from './sources.ts'

describe('floors: imports point down only', () => {
  const sources = sourcesBelow('src')
  const paths = sources.map(({ path }) => path)
  const pairs = sources.flatMap((source) => source.imports.map((to) => ({ from: source.path, to })))

  test('the check finds the existing imports', () => {
    expect(pairs.length).toBeGreaterThan(2_000)
    expect(pairs).toContainEqual({ from: 'src/engine/ports.ts', to: 'src/core/outcome.ts' })
    expect(pairs).toContainEqual({ from: 'src/cli/commands.ts', to: 'src/cli/commands/show.ts' })
  })

  test('every folder has a floor, and every floor a folder', () => {
    expect(unplaced(paths)).toEqual([])
    expect(vacant(paths)).toEqual([])
    expect(unplaced(['src/new/a.ts'])).toEqual(['src/new'])
    expect(unplaced(['src/engine/new/a.ts'])).toEqual(['src/engine/new'])
    expect(unplaced(['src/core/new/a.ts'])).toEqual(['src/core/new'])
  })

  test('no import points up or sideways', () => {
    expect(pairs.map(({ from, to }) => forbidden(from, to)).filter((why) => why !== undefined)).toEqual([])
  })

  test('no import hides its path from this check', () => {
    expect(sources.flatMap(({ path, text }) => hiddenImports(path, text))).toEqual([])
  })

  test.each(Object.entries(floors).flatMap(([folder, rows]) => upwardIn(folder, rows)))(
    'an upward import is found: %s imports %s',
    (from, to) => {
      const seeded = importsOf(from, `import type { x } from '${relativeTo(from, to)}'`)
      expect(seeded).toEqual([to])
      expect(forbidden(from, to)).toContain(`${from} `)
    },
  )

  test.each([
    ['a concatenated path', "const z = await import('../stripe/' + name)"],
    ['a template', 'const z = await import(`../stripe/client.ts`)'],
    ['a variable', 'const z = await import(path)'],
    ['a module resolved by name', 'const path = import.meta.resolve(name)'],
    ['require', 'const z = createRequire(import.meta.url)(path)'],
    ['a worker', 'new Worker(new URL(name, import.meta.url))'],
    ['a concatenated address', "new Worker(new URL('../stripe/' + name, import.meta.url))"],
    ['a comment before the path', "export * from /* a */ '../stripe/client.ts'"],
    ['require of an older module', "const z = require('../stripe/client.ts')"],
    ['a module of Node that loads others', "process.getBuiltinModule('module')"],
  ])('an escape is found: %s', (_what, text) => {
    expect(hiddenImports('src/core/a.ts', text)).toHaveLength(1)
  })

  test.each([
    ['single quotes', "import '../stripe/client.ts'"],
    ['double quotes', 'import "../stripe/client.ts"'],
    ['an export', "export * from '../stripe/client.ts'"],
    ['a type', "type Z = import('../stripe/client.ts').Z"],
    ['attributes', "await import('../stripe/client.ts', { with: {} })"],
    ['a worker', "new Worker(new URL('../stripe/client.ts', import.meta.url))"],
  ])('a named file is found: %s', (_what, text) => {
    expect(importsOf('src/core/a.ts', text)).toEqual(['src/stripe/client.ts'])
    expect(hiddenImports('src/core/a.ts', text)).toEqual([])
  })

  test('an import downwards, within the folder, or of a named file is allowed', () => {
    expect(forbidden('src/engine/a.ts', 'src/core/json.ts')).toBeUndefined()
    expect(forbidden('src/engine/apply/a.ts', 'src/engine/apply/b.ts')).toBeUndefined()
    expect(forbidden('src/handover/classify.ts', 'src/handover/carried/tax.ts')).toBeUndefined()
    expect(
      hiddenImports('src/core/a.ts', "const z = await import('./b.ts')\nnew URL('./b.ts', import.meta.url)"),
    ).toEqual([])
  })
})

/** One upward import for each folder, and one into a neighbour of the same row. */
function upwardIn(folder: string, rows: readonly (readonly string[])[]): [string, string][] {
  const fileOf = (unit: string): string =>
    unit.endsWith('.ts') ? `${folder}/${unit}` : `${folder}/${unit === '.' ? '' : `${unit}/`}seeded.ts`
  return rows.flatMap((row, at) =>
    row.flatMap((unit, i) => {
      const above = [rows[at + 1]?.[0], row[i + 1]].filter((one) => one !== undefined)
      return above.map((one): [string, string] => [fileOf(unit), fileOf(one)])
    }),
  )
}

function relativeTo(from: string, to: string): string {
  const depth = from.split('/').length - 1
  return `${'../'.repeat(depth)}${to}`
}
