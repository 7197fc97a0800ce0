import type { Command, CommandEntry } from './command.ts'
import { globalOptions } from './flags.ts'

/** With this word a completion script asks for the words that fit; not a command for people. */
export const completionWord = '__complete'

/**
 * The words that may come next. An empty list leaves the choice to the shell, which offers files.
 * @param typed the words after `crossbill`; the last one is being typed and may be empty
 */
export async function completions(
  typed: readonly string[],
  table: readonly CommandEntry[],
): Promise<readonly string[]> {
  const current = typed.at(-1) ?? ''
  const before = typed.slice(0, -1)
  const { entry, family } = descend(before, table)
  if (family !== undefined) return starting(current, family.map(nameOf))
  if (entry?.load === undefined) return []
  const { positionals, options, formats } = (await entry.load()).main as Command
  const flags = { ...globalOptions, ...options, format: { ...globalOptions.format, choices: formats } }
  if (current.startsWith('-')) return starting(current, [...Object.keys(flags).map((flag) => `--${flag}`), '--help'])
  const flag = before.at(-1) ?? ''
  const named = flag.startsWith('--') ? Object.entries(flags).find(([name]) => `--${name}` === flag)?.[1] : undefined
  const choices = named === undefined ? Object.values(positionals)[0]?.choices : choicesOf(named)
  return starting(current, (choices ?? []).map(String))
}

function choicesOf(option: object): readonly unknown[] | undefined {
  return 'choices' in option ? (option.choices as readonly unknown[]) : undefined
}

/** Follows the command words; flags before and between them are skipped. */
function descend(
  before: readonly string[],
  table: readonly CommandEntry[],
): { readonly entry?: CommandEntry; readonly family?: readonly CommandEntry[] } {
  const [word, ...rest] = before
  if (word === undefined) return { family: table }
  if (word.startsWith('-')) return descend(word === '--project' ? rest.slice(1) : rest, table)
  const entry = table.find((one) => nameOf(one) === word)
  if (entry === undefined) return {}
  return entry.family === undefined ? { entry } : descend(rest, entry.family)
}

function nameOf({ usage }: CommandEntry): string {
  return usage.split(' ')[0] ?? usage
}

function starting(current: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => word.startsWith(current))
}
