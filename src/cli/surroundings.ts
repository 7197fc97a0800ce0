import { fileURLToPath } from 'node:url'

/** The process as the command line sees it. Tests replace it. */
export interface Surroundings {
  /** How the user starts this program in this folder; default: `crossbill`. */
  readonly program?: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  /**
   * Calls back when the user or the system asks to stop. @returns a function that stops listening
   */
  readonly onStop: (asked: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void
  /** Ends the process at once, as a second Ctrl-C does. */
  readonly abort: (code: number) => void
  /**
   * Ends the process of a service that has stopped, although clients hold connections open.
   */
  readonly leave: (code: number) => void
}

/** Removes what a progress bar, or the `^C` of the terminal, left on the line. */
export const clearedLine = '\r\u001B[2K'

/** Time to write the last lines of the log. */
const leaveMilliseconds = 500

interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export function processSurroundings(): Surroundings {
  // `crossbill plan | head` closes the pipe early, which is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  return {
    program: programIn(process.cwd()),
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onStop(asked) {
      const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ signal, listener: () => asked(signal) }))
      for (const { signal, listener } of listeners) process.on(signal, listener)
      return () => {
        for (const { signal, listener } of listeners) process.off(signal, listener)
      }
    },
    abort: (code) => {
      // A progress bar hides the cursor, switches line wrapping off and leaves a line half drawn.
      if (process.stderr.isTTY) process.stderr.write(`${clearedLine}\u001B[?25h\u001B[?7h`)
      process.exit(code)
    },
    leave: (code) => void setTimeout(() => process.exit(code), leaveMilliseconds).unref(),
  }
}

/**
 * A checkout runs its sources, and in its folder npx finds the program. Anywhere else npx would ask
 * the public registry for the name, so only an installed `crossbill` is right there.
 */
function programIn(cwd: string): string {
  const isSource = import.meta.url.endsWith('.ts')
  const checkout = fileURLToPath(new URL('../..', import.meta.url))
  return isSource && `${cwd}/`.startsWith(checkout) ? 'npx crossbill' : 'crossbill'
}
