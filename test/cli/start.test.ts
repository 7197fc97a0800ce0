import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf, root, sourcesBelow } from '../house/sources.ts'

const sources = new Map(sourcesBelow('src').map((source) => [source.path, source]))
const commands = [...sources.keys()].filter((path) => path.startsWith('src/cli/commands/'))

const launcher = join(root, 'src/bin/crossbill.js')

function start(words: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...words], { encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

describe('the program as a process', () => {
  test('returns exit codes, with results on stdout and errors on stderr', () => {
    expect(start(['--version'])).toEqual({ code: 0, stdout: 'crossbill 0.1.0\n', stderr: '' })
    const wrong = start(['plan', '--formt', 'json'])
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toContain('Did you mean --format?')
  })

  test('does not fail when the reader closes the pipe early', async () => {
    const child = spawn(process.execPath, [launcher, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdout.destroy()
    const code = await new Promise((done) => child.on('exit', done))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('loads only yargs before the command is known', () => {
    const { files, packages } = loadedBy('src/cli/main.ts')
    expect(files).toContain('src/cli/commands.ts')
    expect([...packages]).toEqual(['yargs'])
  })

  // The SDK and the query builder take 100 ms each, which `plan --help` must not wait for.
  test.each(commands)('%s loads no SDK, query builder or server before it runs', (path) => {
    const { packages } = loadedBy(path)
    expect(['stripe', 'kysely', 'pg', 'fastify', 'cli-progress'].filter((name) => packages.has(name))).toEqual([])
  })
})

/** What a module imports directly and through others, without types and lazy imports. */
function loadedBy(path: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const packages = new Set<string>()
  const files = new Set<string>()
  const visit = (at: string): void => {
    const source = sources.get(at)
    if (source === undefined || files.has(at)) return
    files.add(at)
    const early = source.text.replaceAll(/^import type [^']*'[^']*'$/gm, '').replaceAll(/\bimport\([^)]*\)/g, '')
    for (const [, name = ''] of early.matchAll(/\bfrom '([^.'][^']*)'/g))
      if (!name.startsWith('node:')) packages.add(name)
    for (const next of importsOf(at, early)) visit(next)
  }
  visit(path)
  return { files, packages }
}
