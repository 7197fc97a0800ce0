import type { Format } from './flags.ts'
import type { InferredOptionTypes, Options, PositionalOptions } from 'yargs'
import type { Shell } from './shell.ts'

type Named = Readonly<Record<string, Options>>
type Positional = Readonly<Record<string, PositionalOptions>>

/**
 * The arguments and the action of one command. Each command has its own module, which exports it as
 * `main` and is loaded only when the command is called.
 */
export interface Command<P extends Positional = Positional, N extends Named = Named> {
  readonly positionals: P
  readonly options: N
  /** Command lines without `crossbill`, and what they do; --help shows them. */
  readonly examples: readonly (readonly [line: string, about: string])[]
  readonly formats: readonly Format[]
  /** Its text is one result for reading; on a terminal, a long one is shown in a pager. */
  readonly pages?: true
  /** @returns the exit code */
  run(flags: InferredOptionTypes<P & N>, shell: Shell): Promise<number>
}

/** Infers the types of the flags from their declaration. */
export function command<const P extends Positional, const N extends Named>(declared: Command<P, N>): Command<P, N> {
  return declared
}

export type Load = () => Promise<{ readonly main: unknown }>

/** One row of the command table: a command behind a lazy import, or a family of commands. */
export interface CommandEntry {
  /** Name and positionals: `show <file>`. */
  readonly usage: string
  readonly about: string
  readonly load?: Load
  readonly family?: readonly CommandEntry[]
}
