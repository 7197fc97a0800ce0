import type { CommandEntry } from './command.ts'

/** Every command, in the order of --help. Modules load when their command is called: `--help` stays quick. */
export const commandTable: readonly CommandEntry[] = [
  { usage: 'show <file>', about: 'print a saved plan', load: () => import('./commands/show.ts') },
]
