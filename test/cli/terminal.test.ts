import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root } from '../house/sources.ts'

const launcher = join(root, 'src/bin/crossbill.js')
const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) process.stderr.write('terminal: skipped, there is no `script` to make a pseudo-terminal (util-linux)\n')

/** Runs the program in a pseudo-terminal, and types each answer when its question is shown. */
function inTerminal(
  line: string,
  cwd: string,
  answers: readonly [question: string, typed: string][],
): Promise<{ code: number | null; screen: string }> {
  const child = spawn('script', ['-qefc', `${process.execPath} ${launcher} ${line}`, '/dev/null'], { cwd })
  const waiting = [...answers]
  let screen = ''
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    const [next] = waiting
    if (next === undefined || !screen.includes(next[0])) return
    waiting.shift()
    child.stdin.write(next[1])
  })
  return new Promise((done) => child.on('exit', (code) => done({ code, screen })))
}

describe.skipIf(!hasScript)('in a terminal', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-terminal-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const written = (): string => join(folder, 'catalog/project.yaml')

  test('init asks for missing answers', async () => {
    const { code } = await inTerminal('init --name school', folder, [
      ['Id of the new account', '\r'],
      ['"" is not an account id', 'acct_1New\r'],
      ['Old accounts', '\r'],
      ['no old account was named', 'us=acct_1Us intl=acct_1Intl\r'],
      ['in live mode', 'perhaps\r'],
      ['neither yes nor no', 'yes\r'],
    ])
    expect(code).toBe(0)
    expect(readFileSync(written(), 'utf8')).toContain('account: acct_1Intl, livemode: true')
  })

  test('Ctrl-C at a question ends with 130, and nothing is written', async () => {
    const { code } = await inTerminal('init', folder, [['Id of the new account', '\u0003']])
    expect(code).toBe(130)
    expect(existsSync(written())).toBe(false)
  })

  test('Ctrl-D at a question gives no answer', async () => {
    const { code, screen } = await inTerminal('init', folder, [['Id of the new account', '\u0004']])
    expect(code).toBe(1)
    expect(screen).toContain('init needs --target')
  })

  test('Ctrl-C during long work removes the progress bar and shows the cursor again', async () => {
    cpSync(join(root, 'catalog'), join(folder, 'catalog'), { recursive: true })
    const { code, screen } = await inTerminal('rehearse --months 60', folder, [['playing the weeks', '\u0003']])
    expect(code).toBe(130)
    expect(screen.endsWith('\r\u001B[2K\u001B[?25h\u001B[?7h')).toBe(true)
  }, 120_000)
})
