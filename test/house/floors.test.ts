import { describe, expect, test } from 'vitest'
import { floors, folderOf, forbidden } from './floors.ts'
import { importsOf, sourcesBelow } from './sources.ts'

describe('floors: imports point down only', () => {
  const sources = sourcesBelow('src').filter((source) => source.path.endsWith('.ts'))
  const pairs = sources.flatMap((source) => source.imports.map((to) => ({ from: source.path, to })))

  test('the check sees the imports there are', () => {
    expect(pairs.length).toBeGreaterThan(60)
    expect(pairs).toContainEqual({ from: 'src/engine/ports.ts', to: 'src/core/outcome.ts' })
    expect(pairs).toContainEqual({ from: 'src/cli/commands.ts', to: 'src/cli/commands/show.ts' })
  })

  test('every folder has a floor', () => {
    const folders = new Set(sources.map((source) => folderOf(source.path)))
    expect([...folders].filter((folder) => folder === undefined || floors[folder] === undefined)).toEqual([])
  })

  test('no import points up or sideways', () => {
    expect(pairs.map(({ from, to }) => forbidden(from, to)).filter((why) => why !== undefined)).toEqual([])
  })

  test('a violation of each kind is found', () => {
    const text = `import { x } from '../engine/ports.ts'\nimport type { y } from '../core/money.ts'\nconst z = await import('../stripe/client.ts')`
    const why = (path: string): string[] =>
      importsOf(path, text)
        .map((to) => forbidden(path, to))
        .filter((one) => one !== undefined)
    expect(why('src/core/a.ts')).toHaveLength(2)
    expect(why('src/plan/a.ts')).toHaveLength(2)
    expect(why('src/engine/a.ts')).toEqual(['src/engine/a.ts (engine) may not import src/stripe/client.ts (stripe)'])
    expect(why('src/store/a.ts')).toEqual(['src/store/a.ts (store) may not import src/stripe/client.ts (stripe)'])
    expect(why('src/sandbox/a.ts')).toHaveLength(3)
    expect(why('src/cli/a.ts')).toEqual([])
  })
})
