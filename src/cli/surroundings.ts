/** The process as the command line sees it; tests put another one in its place. */
export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  /** Calls back when the user or the system asks to stop; returns how to stop listening. */
  readonly onStop: (asked: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void
  /** Ends the process at once: only for a second Ctrl-C. */
  readonly abort: (code: number) => void
  /**
   * For a service that has stopped: connections that others hold open must not keep the process.
   */
  readonly leave: (code: number) => void
}

/** Time for the last lines of the log to be written. */
const leaveMilliseconds = 500

export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export function processSurroundings(): Surroundings {
  // `crossbill plan | head` closes the pipe early: that is no mistake of anybody.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  return {
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
      // A progress bar hides the cursor and switches line wrapping off.
      if (process.stderr.isTTY) process.stderr.write('\u001B[?25h\u001B[?7h\n')
      process.exit(code)
    },
    leave: (code) => void setTimeout(() => process.exit(code), leaveMilliseconds).unref(),
  }
}
