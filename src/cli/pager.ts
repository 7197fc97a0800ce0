import { spawnSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import type { Surroundings } from './surroundings.ts'

/** `less` leaves text on the screen that fits, keeps colours, and does not clear at its end. */
const usual = 'less -FRX'

/**
 * The pager for text of this length; undefined when it is to be printed. Only a person at a
 * terminal can leave a pager, so CI and pipes get none.
 */
export function pagerFor(
  text: string,
  noPager: boolean,
  { env, stdin, stdout }: Pick<Surroundings, 'env' | 'stdin' | 'stdout'>,
): string | undefined {
  const isSet = (name: string): boolean => (env[name] ?? '') !== ''
  if (noPager || isSet('NO_PAGER') || isSet('CI') || env['TERM'] === 'dumb') return undefined
  if (stdout.isTTY !== true || stdin.isTTY !== true) return undefined
  const { rows = 0, columns = 80 } = stdout
  if (rows === 0 || linesOn(text, columns) < rows) return undefined
  const pager = (env['PAGER'] ?? usual).trim()
  return pager === '' || pager === 'cat' ? undefined : pager
}

/** @returns false when the pager could not be started, so that nothing was shown */
export function showIn(pager: string, text: string, env: Surroundings['env']): boolean {
  const { error, status } = spawnSync(pager, {
    shell: true,
    input: text,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...env },
  })
  // A reader who leaves early closes the pipe. A shell reports a missing program by 126 or 127.
  const isLeft = error !== undefined && 'code' in error && error.code === 'EPIPE'
  return (error === undefined || isLeft) && status !== 126 && status !== 127
}

function linesOn(text: string, columns: number): number {
  const lines = stripVTControlCharacters(text.trimEnd()).split('\n')
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0)
}
