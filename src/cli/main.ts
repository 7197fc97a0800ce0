import { parseArguments } from './arguments.ts'
import { exitCodes } from './exit-codes.ts'
import { commandTable } from './commands.ts'
import { problemJson, problemText } from './report-error.ts'
import { openShell } from './shell.ts'
import { processSurroundings, type Surroundings } from './surroundings.ts'

/**
 * Reads the command line and runs one command.
 * @param argv the words after `crossbill`
 * @returns the exit code: 0 success, 1 error, 2 the command found something, 130 interrupted
 */
export async function run(
  argv: readonly string[],
  surroundings: Surroundings = processSurroundings(),
): Promise<number> {
  try {
    const parsed = await parseArguments(argv, commandTable)
    if (parsed.kind === 'text') {
      surroundings.stdout.write(`${parsed.text}\n`)
      return exitCodes.fine
    }
    const shell = await openShell(parsed.flags, surroundings, run)
    try {
      return await parsed.command.run(parsed.flags, shell)
    } finally {
      shell.progress.done()
      shell.stop.close()
    }
  } catch (error) {
    return report(error, argv, surroundings)
  }
}

function report(error: unknown, argv: readonly string[], { stdout, stderr, env }: Surroundings): number {
  // Reading the flags may be what failed, so `--format json` is looked up in the raw words.
  if (/(^| )--format[ =]json( |$)/.test(argv.join(' ')))
    stdout.write(`${JSON.stringify(problemJson(error), null, 2)}\n`)
  stderr.write(`${problemText(error)}\n`)
  if (env['CROSSBILL_DEBUG'] === '1' && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`)
  return exitCodes.error
}
