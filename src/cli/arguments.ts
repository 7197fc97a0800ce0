import yargs, { type Argv, type Options } from 'yargs'
import { suggest } from '../core/suggest.ts'
import type { Command, CommandEntry, Load } from './command.ts'
import { type GlobalFlags, globalOptions } from './flags.ts'
import { UsageError } from './usage-error.ts'
import { tool } from './version.ts'

export type Parsed =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'run'; readonly command: Command; readonly flags: GlobalFlags & Record<string, unknown> }

/**
 * Reads the command line. Loads only the module of the command that it names.
 * @throws UsageError that names the wrong word and the nearest right word, if there is one
 */
export async function parseArguments(given: readonly string[], table: readonly CommandEntry[]): Promise<Parsed> {
  const argv = schemaOfProject(given)
  const met: Met = { argv, names: table.map(nameOf), path: [] }
  const parser = yargs([...argv])
    .scriptName('crossbill')
    .usage(
      '$0 <command>\n\nStripe Billing as code: plan and apply a catalog and its subscribers, with one payer for each at every moment.',
    )
    .locale('en')
    .exitProcess(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-positional-numbers': false,
    })
    .wrap(110)
    .strict()
    .help('help', 'print this text')
    .version('version', 'print the version', tool)
    .options(globalOptions)
    .example('$0 demo', 'show a whole migration in a temporary folder, in about a minute')
    .example('$0 plan', 'show what would change, for whom, and for how much money')
    .fail((message, error) => {
      throw explain(message || error?.message || 'the command line cannot be read', met)
    })
  addCommands(parser, table, [], met)
  parser.demandCommand(1, 'no command')

  let text = ''
  try {
    await parser.parseAsync([...argv], {}, (error, _argv, output) => {
      text = output
      if (error instanceof UsageError) met.refused ??= error
    })
  } catch (error) {
    // A flag without its value does not reach .fail().
    if (error instanceof Error && error.message.startsWith(valueMissing)) throw explain(error.message, met)
    throw error
  }
  if (met.refused !== undefined) throw met.refused
  if (met.command === undefined || met.flags === undefined) return { kind: 'text', text }
  refuseOddValues(met.command, met.flags)
  return { kind: 'run', command: met.command, flags: met.flags }
}

/**
 * A schema is the same in every project, so `schema --project` asks for the one with the keys of
 * the project. Alone, the flag names the current folder.
 */
function schemaOfProject(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => word === '--project' || word.startsWith('--project='))
  if (argv[0] !== 'schema' || at === -1) return argv
  const next = argv[at + 1]
  const isBare = argv[at] === '--project' && (next === undefined || next.startsWith('-'))
  return [...argv.slice(0, at + 1), ...(isBare ? ['.'] : []), ...argv.slice(at + 1), '--keys']
}

const valueMissing = 'Not enough arguments following: '

/**
 * What parsing has found so far. It is needed to run the command, and to explain a mistake in terms
 * of the command that it concerns.
 */
interface Met {
  readonly argv: readonly string[]
  /** The command words that are valid at this place. */
  names: readonly string[]
  path: readonly string[]
  command?: Command
  flags?: GlobalFlags & Record<string, unknown>
  refused?: UsageError
}

function addCommands(parser: Argv, table: readonly CommandEntry[], path: readonly string[], met: Met): void {
  for (const entry of table) {
    const here = [...path, nameOf(entry)]
    if (entry.family !== undefined) addFamily(parser, entry, entry.family, { here, met })
    else if (entry.load !== undefined) addCommand(parser, entry, entry.load, { here, met })
  }
}

type Place = { readonly here: readonly string[]; readonly met: Met }

function addFamily(parser: Argv, entry: CommandEntry, family: readonly CommandEntry[], { here, met }: Place): void {
  parser.command(entry.usage, entry.about, (inner) => {
    met.path = here
    met.names = family.map(nameOf)
    addCommands(inner, family, here, met)
    return inner.demandCommand(1, 'no command')
  })
}

function addCommand(parser: Argv, entry: CommandEntry, load: Load, { here, met }: Place): void {
  const build = async (inner: Argv): Promise<Argv> => {
    const command = (await load()).main as Command
    met.path = here
    met.names = []
    met.command = command
    for (const [key, option] of Object.entries(command.positionals)) inner.positional(key, option)
    for (const [line, purpose] of command.examples) inner.example(`$0 ${line}`, purpose)
    return inner.options({ ...command.options, format: { ...globalOptions.format, choices: command.formats } })
  }
  parser.command(
    entry.usage,
    entry.about,
    // yargs awaits a builder that returns a promise, but its types do not say so.
    build as unknown as (inner: Argv) => Argv,
    (flags) => {
      met.flags = flags as unknown as GlobalFlags & Record<string, unknown>
    },
  )
}

function nameOf(entry: CommandEntry): string {
  return entry.usage.split(' ')[0] ?? entry.usage
}

/** Turns yargs' message into ours, which names the wrong word and the likely right one. */
function explain(message: string, met: Met): UsageError {
  const called = ['crossbill', ...met.path].join(' ')
  const help = `See: ${called} --help`
  if (message === 'no command')
    return new UsageError(
      'no-command',
      `${called} needs a command`,
      met.path.length === 0 ? help : `Commands: ${met.names.join(', ')}.`,
    )
  const invalid = /Argument: (\S+), Given: "(.*)", Choices: (.*)/.exec(message)
  if (invalid !== null)
    return new UsageError(
      'invalid-value',
      `--${invalid[1]} does not accept "${invalid[2]}"`,
      `It accepts: ${invalid[3]}.`,
    )
  if (message.startsWith('Not enough non-option arguments')) {
    const missing = Object.entries(met.command?.positionals ?? {}).find(([, { demandOption }]) => demandOption === true)
    const what = missing?.[1].describe
    const name = missing === undefined ? 'an argument' : `<${missing[0]}>`
    return new UsageError('missing-argument', `"${called}" needs ${name}${what === undefined ? '' : `: ${what}`}`, help)
  }
  if (message.startsWith(valueMissing))
    return new UsageError('missing-value', `--${message.slice(valueMissing.length)} needs a value`, help)
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message)?.[1]?.split(', ')[0]
  if (unknown === undefined)
    return new UsageError('bad-arguments', `${called}: ${message.replaceAll(/\s+/g, ' ')}`, help)
  const isFlag = met.argv.some((word) => new RegExp(`^--?${escape(unknown)}(=|$)`).test(word))
  if (isFlag) {
    const known = [...Object.keys(globalOptions), ...Object.keys(met.command?.options ?? {}), 'help', 'version']
    return new UsageError(
      'unknown-flag',
      `"${called}" has no flag --${unknown}`,
      didYouMean(unknown, known, '--') ?? help,
    )
  }
  if (met.names.length > 0)
    return new UsageError(
      'unknown-command',
      `"${called}" has no command "${unknown}"`,
      didYouMean(unknown, met.names, '') ?? help,
    )
  return new UsageError('unexpected-argument', `"${called}" takes no further argument, got "${unknown}"`, help)
}

function didYouMean(typed: string, known: readonly string[], before: string): string | undefined {
  const near = suggest(typed, known)
  return near === undefined ? undefined : `Did you mean ${before}${near}?`
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Refuses values that yargs accepts: a flag given twice, a number flag with another text. */
function refuseOddValues(command: Command, flags: GlobalFlags & Record<string, unknown>): void {
  const options: Readonly<Record<string, Options>> = { ...globalOptions, ...command.options }
  for (const [name, option] of Object.entries(options)) {
    const value = flags[name]
    if (Array.isArray(value) && option.type !== 'array' && option.array !== true)
      throw new UsageError('flag-twice', `--${name} was given more than once`, 'Give it once.')
    if (option.type === 'number' && typeof value === 'number') refuseOddNumber(name, value)
  }
}

/** Flags of `rehearse` that take a share from 0 to 1; the command checks their range. */
const shares: ReadonlySet<string> = new Set(['answering', 'declines'])

/** Refuses numbers that are neither a count nor a port, which all other number flags are. */
function refuseOddNumber(name: string, value: number): void {
  if (Number.isNaN(value)) throw new UsageError('not-a-number', `--${name} needs a number`, 'Nothing was done.')
  if (shares.has(name)) return
  if (!Number.isSafeInteger(value) || value < 0)
    throw new UsageError(
      'not-a-count',
      `--${name} needs a whole number of 0 or more, not ${value}`,
      'Nothing was done.',
    )
  if (/(^|-)port$/.test(name) && value > 65_535)
    throw new UsageError('not-a-port', `--${name} ${value}: the highest port is 65535`, '0 chooses any free port.')
}
