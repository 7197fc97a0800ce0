import { exitCodes } from '../exit-codes.ts'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../command.ts'
import { openSchool } from '../demo/school.ts'
import { begins, tellStory, type Reckoning } from '../demo/story.ts'
import { openTeller } from '../demo/teller.ts'
import { columns, firstFew } from '../render/words.ts'
import type { Shell } from '../shell.ts'

export const main = command({
  positionals: {},
  options: {
    dir: { type: 'string', requiresArg: true, describe: 'folder for the project; default: a new temporary folder' },
    subscribers: { type: 'number', requiresArg: true, default: 60, describe: 'number of subscribers' },
    seed: { type: 'number', requiresArg: true, default: 1, describe: 'another seed makes other subscribers' },
    months: { type: 'number', requiresArg: true, default: 14, describe: 'months of renewals to simulate' },
  },
  examples: [
    [
      'demo',
      'move about sixty simulated subscribers from two old accounts into one, over fourteen months; needs no key',
    ],
  ],
  formats: ['text', 'json'],
  async run({ dir, subscribers, seed, months }, shell) {
    const folder = dir === undefined ? await mkdtemp(join(tmpdir(), 'crossbill-demo-')) : shell.path(dir)
    const school = await openSchool({ dir: folder, subscribers, seed, clock: begins }, shell)
    try {
      const teller = openTeller(shell)
      teller.say(
        `Everything here is simulated on this machine: no key, no network. The lines with $ are commands that you can run yourself: ${shell.surroundings.program ?? 'crossbill'} … --project ${folder}`,
      )
      const comparison = await tellStory(school, teller, months)
      report(comparison, folder, shell)
      return comparison.differences.length === 0 ? exitCodes.fine : exitCodes.error
    } finally {
      school.close()
    }
  },
})

function report({ expected, made, differences }: Reckoning, dir: string, shell: Shell): void {
  const count = (code: Reckoning['differences'][number]['code']): number =>
    differences.filter((one) => one.code === code).length
  const wrong = {
    double: count('double'),
    missed: count('missed'),
    amount_differs: count('amount_differs'),
    date_differs: count('date_differs'),
  }
  if (shell.format === 'json') {
    shell.json({ charges: { expected, made }, ...wrong, dir, differences })
    return
  }
  const { paint } = shell
  const rows = [
    ['charges expected', expected],
    ['charges made', made],
    ['charged twice', wrong.double],
    ['missed', wrong.missed],
    ['different amount', wrong.amount_differs],
    ['different date', wrong.date_differs],
  ] as const
  shell.out(columns(rows.map(([what, number]) => [`  ${what}`, String(number).padStart(6)])).join('\n'))
  for (const { code, subscriber, detail } of firstFew(differences, 20).shown)
    shell.out(paint.red(`  ${code} ${subscriber}: ${detail}`))
  shell.out(
    differences.length === 0
      ? paint.green('\nEvery charge of the control run was made, by exactly one account, and no other charge.')
      : paint.red('\nThe charges differ from the control run.'),
  )
  shell.out(
    [
      `The project is in ${dir}. Read its catalog/, and try:`,
      ...['plan', 'verify', 'state show'].map((what) => `  crossbill ${what} --project ${dir}`),
    ].join('\n'),
  )
}
