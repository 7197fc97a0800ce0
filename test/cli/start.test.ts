import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf, root, sourcesBelow } from '../house/sources.ts'

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
    const sources = new Map(sourcesBelow('src').map((source) => [source.path, source]))
    const packages = new Set<string>()
    const seen = new Set<string>()
    const visit = (path: string): void => {
      const source = sources.get(path)
      if (source === undefined || seen.has(path)) return
      seen.add(path)
      const early = source.text.replaceAll(/^import type .*$/gm, '').replaceAll(/\bimport\([^)]*\)/g, '')
      for (const [, name = ''] of early.matchAll(/\bfrom '([^.'][^']*)'/g))
        if (!name.startsWith('node:')) packages.add(name)
      for (const next of importsOf(path, early)) visit(next)
    }
    visit('src/cli/main.ts')
    expect(seen).toContain('src/cli/commands.ts')
    expect([...packages]).toEqual(['yargs'])
  })
})
