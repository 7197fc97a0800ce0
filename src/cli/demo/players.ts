import { CommandError } from '../../core/outcome.ts'
import { run } from '../main.ts'
import type { Surroundings } from '../surroundings.ts'

export interface Played {
  readonly code: number
  readonly stdout: string
}

/**
 * Runs one command line in the demo's project exactly as a user would type it there, and hands back what it printed.
 * @throws CommandError when it ends otherwise than the story expects
 */
export async function play(words: readonly string[], dir: string, expected: readonly number[] = [0]): Promise<Played> {
  let stdout = ''
  let stderr = ''
  const surroundings: Surroundings = {
    cwd: dir,
    env: { NO_COLOR: '1' },
    stdin: process.stdin,
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    onStop: () => () => {},
    abort: () => {},
  }
  const code = await run(words, surroundings)
  if (expected.includes(code)) return { code, stdout }
  throw new CommandError('demo_stopped', `"crossbill ${words.join(' ')}" ended with ${code}:\n${stderr}${stdout}`, {
    notDone: 'the story stops here',
    fix: `Look around in ${dir}: crossbill plan, crossbill verify.`,
  })
}

/** What a command prints with --format json. */
export async function playJson<T>(words: readonly string[], dir: string, expected?: readonly number[]): Promise<T> {
  return JSON.parse((await play([...words, '--format', 'json', '--quiet'], dir, expected)).stdout) as T
}
