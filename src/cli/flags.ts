import type { Options } from 'yargs'
export type Format = 'text' | 'json' | 'markdown' | 'html' | 'csv'

export interface GlobalFlags {
  readonly project: string
  readonly format: Format
  readonly quiet: boolean
  readonly 'no-color': boolean
}

/** Flags that every command takes. */
export const globalOptions = {
  project: { type: 'string', requiresArg: true, default: '.', describe: 'folder of the project (with catalog/ in it)' },
  format: { type: 'string', requiresArg: true, default: 'text', describe: 'form of the result' },
  quiet: { type: 'boolean', default: false, describe: 'no progress and no notes on stderr' },
  'no-color': { type: 'boolean', default: false, describe: 'no colours (NO_COLOR works too)' },
} as const satisfies Record<string, Options>
