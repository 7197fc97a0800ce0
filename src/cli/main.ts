import { parseArguments } from './arguments.ts'
import { exitCodes } from './exit-codes.ts'
import { commandTable } from './commands.ts'
import { completions, completionWord } from './completions.ts'
import { dated } from './dated.ts'
import { hintsFor } from './hints.ts'
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
    if (argv[0] === completionWord) {
      surroundings.stdout.write((await completions(argv.slice(1), commandTable)).map((one) => `${one}\n`).join(''))
      return exitCodes.fine
    }
    const parsed = await parseArguments(argv, commandTable)
    if (parsed.kind === 'text') {
      surroundings.stdout.write(`${parsed.text}\n`)
      return exitCodes.fine
    }
    const shell = await openShell(parsed.flags, surroundings, {
      run,
      hints: hintsFor(commandTable, parsed.flags.project, surroundings),
      pages: parsed.command.pages === true,
    })
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

function report(error: unknown, argv: readonly string[], surroundings: Surroundings): number {
  const { stdout, stderr, env } = surroundings
  // Reading the flags may be what failed, so they are looked up in the raw words.
  const at = argv.findIndex((word) => /^--project(=|$)/.test(word))
  const project = at === -1 ? '.' : ((argv[at]?.slice('--project='.length) || argv[at + 1]) ?? '.')
  if (/(^| )--format[ =]json( |$)/.test(argv.join(' ')))
    stdout.write(`${JSON.stringify(problemJson(error), null, 2)}\n`)
  stderr.write(`${dated(hintsFor(commandTable, project, surroundings)(problemText(error)))}\n`)
  if (env['CROSSBILL_DEBUG'] === '1' && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`)
  return exitCodes.error
}
