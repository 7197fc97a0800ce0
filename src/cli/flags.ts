import type { Options } from 'yargs'
export type Format = 'text' | 'json' | 'markdown' | 'html' | 'csv'

export interface GlobalFlags {
  readonly project: string
  readonly format: Format
  readonly quiet: boolean
  readonly 'no-color': boolean
  readonly 'no-pager': boolean
}

/** Flags that every command takes. */
export const globalOptions = {
  project: {
    type: 'string',
    requiresArg: true,
    default: '.',
    describe: 'folder of the project, which contains catalog/',
  },
  format: { type: 'string', requiresArg: true, default: 'text', describe: 'format of the result' },
  quiet: { type: 'boolean', default: false, describe: 'print no progress and no notes on stderr' },
  'no-color': { type: 'boolean', default: false, describe: 'print no colours; the variable NO_COLOR does the same' },
  'no-pager': {
    type: 'boolean',
    default: false,
    describe: 'print long text on a terminal without a pager; the variables NO_PAGER and CI do the same',
  },
} as const satisfies Record<string, Options>
