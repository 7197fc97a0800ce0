import { spawn } from 'node:child_process'

export interface Ran {
  /**
   * `ended 3`, `killed by SIGTERM`, `took longer than 10 s`, `cannot be started (ENOENT)`;
   * undefined when it ended well.
   */
  readonly problem?: string
  readonly output: string
}

export interface RunOptions {
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly input: string
  readonly seconds: number
}

/** No secret is longer; a program with more output does not print a secret. */
const outputLimit = 64 * 1_024

/**
 * Runs a program without a shell. Its standard error is never printed, because it may quote the
 * secret.
 */
export function run(command: readonly string[], { folder, env, input, seconds }: RunOptions): Promise<Ran> {
  const [program = '', ...args] = command
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] })
    const chunks: Buffer[] = []
    let size = 0
    let stopped: string | undefined
    const stop = (why: string): void => {
      stopped ??= why
      child.kill('SIGKILL')
    }
    const alarm = setTimeout(() => stop(`took longer than ${seconds} s`), seconds * 1_000)
    const end = (problem?: string): void => {
      clearTimeout(alarm)
      const output = Buffer.concat(chunks).toString('utf8')
      resolve(problem === undefined ? { output } : { output, problem })
    }
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > outputLimit) stop('wrote more than 64 kB')
      else chunks.push(chunk)
    })
    child.on('error', (error) => end(`cannot be started (${'code' in error ? String(error.code) : error.name})`))
    child.on('close', (code, signal) => {
      if (stopped !== undefined) end(stopped)
      else if (code === 0) end()
      else end(code === null ? `was killed by ${signal}` : `ended with ${code}`)
    })
    // A program that does not read its input closes the pipe early; its exit code shows whether it
    // failed.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
