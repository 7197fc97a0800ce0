import type { Options } from 'yargs'
import { globalOptions } from '../../src/cli/flags.ts'
import type { Command, CommandEntry } from '../../src/cli/command.ts'
import { present } from '../../src/core/assert.ts'

/** The text of docs/commands.md, from the declarations that also parse the command line. */
export async function commandReference(table: readonly CommandEntry[]): Promise<string> {
  const sections = await Promise.all(table.map(async (entry) => section(entry, [])))
  return [
    '# Commands',
    'Generated from the declarations in `src/cli/commands`. `crossbill COMMAND --help` prints the same.',
    'Results go to stdout, everything else to stderr. Exit codes: 0 success · 1 error, nothing or only the reported part was done · 2 the command found something (changes, drift, violations) · 130 interrupted; run the command again to continue.',
    'Every command accepts:',
    optionsTable(globalOptions),
    ...sections.flat(),
  ]
    .join('\n\n')
    .concat('\n')
}

async function section(entry: CommandEntry, before: readonly string[]): Promise<string[]> {
  const [name = '', ...positionals] = entry.usage.split(' ')
  const path = [...before, name]
  if (entry.family !== undefined) return (await Promise.all(entry.family.map(async (one) => section(one, path)))).flat()
  const { main } = (await present(entry.load, entry.usage)()) as { main: Command }
  const options: Record<string, Options> = { ...main.positionals, ...main.options }
  return [
    `## ${path.join(' ')}`,
    `${entry.about.charAt(0).toUpperCase()}${entry.about.slice(1)}. Formats: ${main.formats.join(', ')}.`,
    ...(Object.keys(options).length === 0 ? [] : [optionsTable(main.options, main.positionals, positionals)]),
    ['```sh', ...main.examples.flatMap(([line, about]) => [`# ${about}`, `crossbill ${line}`]), '```'].join('\n'),
  ]
}

function optionsTable(
  named: Readonly<Record<string, Options>>,
  placed: Readonly<Record<string, Options>> = {},
  usage: readonly string[] = [],
): string {
  const rows = [
    ...Object.entries(placed).map(
      ([key, option]) => [usage.find((word) => word.includes(key)) ?? key, option] as const,
    ),
    ...Object.entries(named).map(([key, option]) => [`--${key}`, option] as const),
  ]
  return ['| | |', '|---|---|', ...rows.map(([name, option]) => `| \`${name}\` | ${described(option)} |`)].join('\n')
}

function described({ describe = '', choices, default: preset, array }: Options): string {
  return [
    describe.replaceAll('|', '\\|'),
    ...(choices === undefined ? [] : [`one of ${choices.join(', ')}`]),
    ...(array === true && !describe.includes('repeated') ? ['may be repeated'] : []),
    ...(preset === undefined || preset === false ? [] : [`default \`${String(preset as string | number)}\``]),
  ].join('; ')
}
