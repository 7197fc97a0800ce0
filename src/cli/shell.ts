import { exitCodes } from './exit-codes.ts'
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { ChalkInstance } from 'chalk'
import type { Progress } from '../engine/ports.ts'
import type { Format, GlobalFlags } from './flags.ts'
import { inBlocks, indentedJson } from '../core/json-text.ts'
import { listenForStop, type Stop } from './interrupt.ts'
import { pagerFor, showIn } from './pager.ts'
import { openProgress, silent } from './progress.ts'
import { dated } from './dated.ts'
import { shellQuoted, type Hints } from './shell-words.ts'
import { clearedLine, type Surroundings } from './surroundings.ts'

/**
 * What a command works with: its folders, its output, and whether a user can answer questions.
 */
export interface Shell {
  readonly surroundings: Surroundings
  /** Runs another command line of this program, for commands that consist of several. */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>
  /** Absolute folder of the project. */
  readonly project: string
  readonly format: Format
  /** Colours for stdout; plain when it is not a terminal. */
  readonly paint: ChalkInstance
  readonly progress: Progress
  readonly stop: Stop
  /** Absolute path of a file named on the command line. */
  readonly path: (named: string) => string
  /**
   * Absolute path of a file that belongs to the project: relative to the project's folder, not to
   * the current one.
   */
  readonly pathInProject: (named: string) => string
  /**
   * Absolute path of a file to read: relative to the current folder, else to the project's folder.
   */
  readonly existing: (named: string) => string
  /**
   * A command line that works when the user pastes it in the current folder: `crossbill apply
   * --project ../school x.json`.
   */
  readonly command: (...words: readonly string[]) => string
  /**
   * Absolute path of a file named on the command line. Without a name it is `usual` in the project.
   */
  readonly pathOr: (named: string | undefined, usual: string) => string
  /** A path relative to the current folder, for messages. */
  readonly near: (path: string) => string
  /** Prints the result on stdout. */
  readonly out: (text: string) => void
  /** Prints the result as the single JSON document of `--format json`. */
  readonly json: (value: unknown) => void
  /** Prints a note on stderr, except with --quiet. */
  readonly say: (text: string) => void
  /** Asks on stderr. Undefined when there is no terminal to answer on. */
  readonly ask: (question: string) => Promise<string | undefined>
}

/** @param hints rewrites the commands that a message names, for the folder of the user */
export async function openShell(
  flags: GlobalFlags,
  surroundings: Surroundings,
  { run, hints, pages = false }: { readonly run: Shell['run']; readonly hints: Hints; readonly pages?: boolean },
): Promise<Shell> {
  const { Chalk } = await import('chalk')
  const { stdout, stderr, cwd } = surroundings
  const plain = flags['no-color'] || (surroundings.env['NO_COLOR'] ?? '') !== '' || stdout.isTTY !== true
  const print = (text: string): void => void stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  // Other formats are read in other places, where the flag for this folder is wrong.
  const read = (text: string): void => {
    const pager = pages ? pagerFor(text, flags['no-pager'], surroundings) : undefined
    if (pager === undefined || !showIn(pager, text, surroundings.env)) print(text)
  }
  const out = flags.format === 'text' ? (text: string): void => read(dated(hints(text))) : print
  const say = flags.quiet ? (): void => {} : (text: string): void => void stderr.write(`${dated(hints(text))}\n`)
  return {
    surroundings,
    run,
    project: resolve(cwd, flags.project),
    format: flags.format,
    paint: new Chalk({ level: plain ? 0 : 1 }),
    progress: flags.quiet ? silent : await openProgress(surroundings, say),
    stop: listenForStop(
      surroundings,
      (text) => void stderr.write(stderr.isTTY === true ? `${clearedLine}${text}\n` : `\n${text}\n`),
    ),
    path: (named) => resolve(cwd, named),
    pathInProject: (named) => resolve(cwd, flags.project, named),
    existing: (named) => {
      const here = resolve(cwd, named)
      const there = resolve(cwd, flags.project, named)
      return existsSync(here) || !existsSync(there) ? here : there
    },
    command: (...all) => {
      const [name = '', ...words] = all
      const isElsewhere = resolve(cwd, flags.project) !== resolve(cwd)
      return ['crossbill', name, ...(isElsewhere ? ['--project', flags.project] : []), ...words]
        .map(shellQuoted)
        .join(' ')
    },
    pathOr: (named, usual) => (named === undefined ? resolve(cwd, flags.project, usual) : resolve(cwd, named)),
    near: (path) => relative(cwd, path),
    out,
    json(value) {
      for (const block of inBlocks(indentedJson(value), 65_536)) stdout.write(block)
      print('')
    },
    say,
    ask: (question) => ask(question, surroundings),
  }
}

async function ask(question: string, { stdin, stderr, abort }: Surroundings): Promise<string | undefined> {
  if (stdin.isTTY !== true) return undefined
  const { createInterface } = await import('node:readline/promises')
  const asking = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream })
  // Ctrl-C at a question ends the command, because nothing was begun. Ctrl-D means no answer.
  asking.on('SIGINT', () => abort(exitCodes.interrupted))
  const closed = new Promise<undefined>((done) => asking.once('close', () => done(undefined)))
  try {
    return (await Promise.race([asking.question(`${question} `), closed]))?.trim()
  } finally {
    asking.close()
  }
}
