import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command, exitCodes } from '../command.ts'
import type { ChargeComparison } from '../compare-charges.ts'
import { openSchool } from '../demo/school.ts'
import { begins, tellStory } from '../demo/story.ts'
import { openTeller } from '../demo/teller.ts'
import { columns } from '../render/words.ts'
import type { Shell } from '../shell.ts'

export const main = command({
  positionals: {},
  options: {
    dir: { type: 'string', requiresArg: true, describe: 'folder for the project; default: a new temporary one' },
    subscribers: { type: 'number', requiresArg: true, default: 60, describe: 'how many people the school has' },
    seed: { type: 'number', requiresArg: true, default: 1, describe: 'other people, the same story' },
    months: { type: 'number', requiresArg: true, default: 14, describe: 'how long to watch the renewals' },
  },
  examples: [['demo', 'two old accounts, sixty subscribers, one new account, fourteen months; about a minute, no key']],
  formats: ['text', 'json'],
  async run({ dir, subscribers, seed, months }, shell) {
    const folder = dir === undefined ? await mkdtemp(join(tmpdir(), 'crossbill-demo-')) : shell.path(dir)
    const school = await openSchool({ dir: folder, subscribers, seed, clock: begins }, shell)
    try {
      const teller = openTeller(shell)
      teller.say(
        `Everything here is simulated on this machine: no key, no network. The lines with $ are commands you can type yourself, in ${folder}`,
      )
      const comparison = await tellStory(school, teller, months)
      report(comparison, folder, shell)
      return comparison.differences.length === 0 ? exitCodes.fine : exitCodes.error
    } finally {
      school.close()
    }
  },
})

function report({ differences, ...counts }: ChargeComparison, dir: string, shell: Shell): void {
  if (shell.format === 'json') {
    shell.json({ ...counts, dir, differences })
    return
  }
  const { paint } = shell
  const rows = [
    ['charges expected', counts.charges.expected],
    ['charges made', counts.charges.made],
    ['charged twice', counts.double],
    ['missed', counts.missed],
    ['other amount', counts.amount_differs],
    ['other date', counts.date_differs],
  ] as const
  shell.out(columns(rows.map(([what, count]) => [`  ${what}`, String(count).padStart(6)])).join('\n'))
  for (const { kind, payer, expected, made } of differences.slice(0, 20))
    shell.out(paint.red(`  ${kind} ${payer} ${JSON.stringify(expected ?? null)} ${JSON.stringify(made ?? null)}`))
  shell.out(
    differences.length === 0
      ? paint.green('\nEvery charge of the world without migration was made, by exactly one account, and no other.')
      : paint.red('\nThe two worlds differ.'),
  )
  shell.out(
    `The project is in ${dir}: look at catalog/, and try crossbill plan, crossbill verify, crossbill state show there.`,
  )
}
