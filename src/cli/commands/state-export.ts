import { asRebuilt } from '../../engine/as-rebuilt.ts'
import { exitCodes } from '../exit-codes.ts'
import { stateExport, type Identity } from '../../engine/state.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'

const heads = ['kind', 'source', 'old_id', 'address', 'new_id'] as const satisfies readonly (keyof Identity)[]

export const main = command({
  positionals: {},
  options: {},
  examples: [['state export --format csv > state/ids.csv', 'write the old and new id of every object']],
  formats: ['text', 'json', 'csv'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const identities = await stateExport(await asRebuilt(context))
      if (shell.format === 'json') shell.json(identities)
      else
        shell.out(
          [heads.join(','), ...identities.map((one) => heads.map((head) => cell(one[head])).join(','))].join('\n'),
        )
      return exitCodes.fine
    })
  },
})

/**
 * A CSV cell (RFC 4180). A spreadsheet would read a leading sign as a formula, but ids and
 * addresses never begin with one.
 */
function cell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
