import { CommandError } from '../../core/outcome.ts'
import type { Shell } from '../shell.ts'
import type { Surroundings } from '../surroundings.ts'

export interface Played {
  readonly code: number
  readonly stdout: string
}

/** Types commands in the demo's project. */
export interface Players {
  /**
   * Runs one command line exactly as a user would type it there, and returns what it printed.
   * @throws CommandError when its exit code is not one that the story expects
   */
  play(words: readonly string[], expected?: readonly number[]): Promise<Played>
  /** What a command prints with --format json. */
  playJson<T>(words: readonly string[], expected?: readonly number[]): Promise<T>
}

export function playersIn(dir: string, { run }: Pick<Shell, 'run'>): Players {
  const play: Players['play'] = (words, expected = [0]) => playIn(dir, run, words, expected)
  return {
    play,
    async playJson<T>(words: readonly string[], expected?: readonly number[]) {
      return JSON.parse((await play([...words, '--format', 'json', '--quiet'], expected)).stdout) as T
    },
  }
}

async function playIn(
  dir: string,
  run: Shell['run'],
  words: readonly string[],
  expected: readonly number[],
): Promise<Played> {
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
    leave: () => {},
  }
  const code = await run(words, surroundings)
  if (expected.includes(code)) return { code, stdout }
  throw new CommandError('demo_stopped', `"crossbill ${words.join(' ')}" ended with ${code}:\n${stderr}${stdout}`, {
    notDone: 'the story stops here',
    fix: `Look around in ${dir}: crossbill plan, crossbill verify.`,
  })
}
