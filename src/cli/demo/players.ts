import { CommandError } from '../../core/outcome.ts'
import type { Shell } from '../shell.ts'
import type { Surroundings } from '../surroundings.ts'

interface Played {
  readonly code: number
  readonly stdout: string
}

/** Runs commands in the demo's project. */
export interface Players {
  /**
   * Runs one command line as a user would there, and returns its output.
   * @throws CommandError when the story does not expect its exit code
   */
  play(words: readonly string[], expected?: readonly number[]): Promise<Played>
  /** The output of a command with --format json. */
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
    notDone: 'the demo stops here',
    fix: `Inspect ${dir} with: crossbill plan, crossbill verify.`,
  })
}
