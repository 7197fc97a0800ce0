import { resolve } from 'node:path'
import type { CommandEntry } from './command.ts'
import { shellQuoted, type Hints } from './shell-words.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Messages name commands as `crossbill plan`. A user who works with `--project` needs that flag in
 * the command as well. In a checkout the program is started with npx.
 * @param project the value of --project, as given
 */
export function hintsFor(
  table: readonly CommandEntry[],
  project: string,
  { cwd, program = 'crossbill' }: Surroundings,
): Hints {
  const isHere = resolve(cwd, project) === resolve(cwd)
  if (isHere && program === 'crossbill') return (text) => text
  const flag = isHere ? '' : ` --project ${shellQuoted(project)}`
  const paths = commandPaths(table).toSorted((a, b) => b.length - a.length)
  const named = new RegExp(`(?<![\\w/.-])(?<!npx )crossbill (${paths.join('|')})(?![\\w-]| --help)( --project)?`, 'g')
  return (text) =>
    text.replaceAll(named, (_all, path: string, has: string | undefined) =>
      [program, ' ', path, has ?? (projectless.has(path) ? '' : flag)].join(''),
    )
}

/** Commands that do not work on a project. */
const projectless: ReadonlySet<string> = new Set(['demo', 'completion'])

/** Every command that can be run: `plan`, `copy-map check`, `kajabi hooks ensure`. */
function commandPaths(table: readonly CommandEntry[], before: readonly string[] = []): readonly string[] {
  return table.flatMap(({ usage, family }) => {
    const here = [...before, usage.split(' ')[0] ?? usage]
    return family === undefined ? [here.join(' ')] : commandPaths(family, here)
  })
}
