import { PassThrough } from 'node:stream'
import { run } from '../../src/cli/main.ts'
import type { Surroundings } from '../../src/cli/surroundings.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real command line in this process, with its own folder, environment and streams. */
export async function crossbill(words: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const surroundings: Surroundings = {
    cwd,
    env: { ...env },
    stdin: new PassThrough(),
    stdout: { write: (text: string) => void (stdout += text) },
    stderr: { write: (text: string) => void (stderr += text) },
    onStop: () => () => {},
    abort: (code) => {
      throw new Error(`aborted with ${code}`)
    },
    leave: () => {},
  }
  const code = await run(words, surroundings)
  return { code, stdout, stderr }
}
