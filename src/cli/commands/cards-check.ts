import { cardsCheck, type FoundCard } from '../../engine/verify/cards.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { firstFew, groupBy, money, plural, when } from '../render/words.ts'
import type { Shell } from '../shell.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'cards check',
      'before the cutover and after it: which renewals in the target will probably fail, for whom and for how much; exit 2 when there are any',
    ],
  ],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      const check = await cardsCheck(context)
      if (shell.format === 'json') shell.json(check)
      else {
        const failing = new Set(check.findings.map(({ subscriber }) => subscriber)).size
        shell.out(`${failing} of ${plural(check.checked, 'renewal')} in the target will probably fail`)
        for (const [code, findings] of groupBy(check.findings, (finding) => finding.code)) print(shell, code, findings)
      }
      return check.ok ? exitCodes.fine : exitCodes.found
    })
  },
})

function print(shell: Shell, code: string, findings: readonly FoundCard[]): void {
  const { shown, more } = firstFew(findings, 10)
  shell.out(`\n${shell.paint.bold(`${code} (${findings.length})`)}`)
  for (const { subscriber, at, amount, currency, message } of shown)
    shell.out(`  ${subscriber}: ${message}; ${money(amount, currency)} due on ${when(at)}`)
  if (more > 0) shell.out(`  … and ${more} more (--format json lists all)`)
  if (findings[0] !== undefined) shell.out(`  fix: ${findings[0].fix}`)
}
