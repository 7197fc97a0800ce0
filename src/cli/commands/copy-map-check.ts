import { exitCodes } from '../exit-codes.ts'
import { copyMapCheck } from '../../engine/verify/copied.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { firstFew, groupBy } from '../render/words.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'copy-map check',
      'list the subscribers whose customer or payment method was not copied, and why; exit 2 when there are any',
    ],
  ],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      const check = await copyMapCheck(context)
      if (shell.format === 'json') shell.json(check)
      else {
        for (const [source, { rows, subscribers, ready }] of Object.entries(check.sources))
          shell.out(`${source}: ${ready} of ${subscribers} subscribers are ready (${rows} rows)`)
        for (const [code, findings] of groupBy(check.findings, (finding) => finding.code)) {
          const { shown, more } = firstFew(findings, 10)
          shell.out(`\n${shell.paint.bold(`${code} (${findings.length})`)}`)
          for (const { subscriber, message } of shown) shell.out(`  ${subscriber}: ${message}`)
          if (more > 0) shell.out(`  … and ${more} more (--format json lists all)`)
          if (findings[0] !== undefined) shell.out(`  fix: ${findings[0].fix}`)
        }
      }
      return check.findings.length === 0 ? exitCodes.fine : exitCodes.found
    })
  },
})
