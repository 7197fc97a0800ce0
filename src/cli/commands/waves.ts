import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { proposeWaves, type WavesProposed } from '../../engine/plan/waves.ts'
import { survey } from '../../engine/plan/survey.ts'
import { CommandError } from '../../core/outcome.ts'
import { writeWhole } from '../../files/write.ts'
import { risks, waveRules, type Wave, type WaveRule } from '../../plan/waves.ts'
import { splitFiles } from '../../pull/split.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { columns, money, plural } from '../render/words.ts'
import { UsageError } from '../usage-error.ts'
import { withProject } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {
    by: {
      type: 'string',
      requiresArg: true,
      choices: waveRules,
      default: 'renewal',
      describe: 'how members are put together after the pilot; within a wave they stand in the order of their renewals',
    },
    pilot: {
      type: 'number',
      requiresArg: true,
      default: 10,
      describe: 'members of the pilot of each source: those who are safe and renew first; 0 for none',
    },
    size: { type: 'number', requiresArg: true, default: 200, describe: 'the most members of a wave' },
    source: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'only the subscribers of this source; may be repeated',
    },
    write: {
      type: 'boolean',
      default: false,
      describe: 'move the entries into the files of their waves; without it, the waves are only shown',
    },
  },
  examples: [
    ['waves', 'propose waves: a pilot of ten for each source, then by renewal; nothing is written'],
    ['waves --by country --size 100', 'propose one wave or more for each country'],
    ['waves --by risk --write', 'put plain moves first and those who need something last, and rewrite the files'],
  ],
  formats: ['text', 'json'],
  async run({ by, pilot, size, source: sources, write }, shell) {
    if (!Number.isInteger(pilot) || pilot < 0 || !Number.isInteger(size) || size < 1)
      throw new UsageError(
        'wave-size',
        '--pilot needs a whole number from 0, and --size one from 1',
        'Nothing was read or written.',
      )
    return await withProject(shell, async ({ context, files }) => {
      refuseUnknown(sources ?? [], [...context.accounts.sources.keys()])
      const proposed = await proposeWaves(context, await survey(context), {
        // The parser accepts only these words.
        by: by as WaveRule,
        pilot,
        size,
        ...(sources === undefined ? {} : { sources }),
      })
      const split = splitFiles(new Map(files.map(({ path, text }) => [path, text])), proposed.waves)
      if (split === undefined)
        throw new CommandError('waves_differ', 'the new files would not declare exactly the same subscribers', {
          notDone: 'nothing was written',
          fix: 'Run crossbill validate. If it finds nothing, move the entries by hand.',
        })
      const { written, emptied } = split
      if (write) {
        for (const [path, text] of written) await writeWhole(join(shell.project, 'catalog', path), text)
        for (const path of emptied) await rm(join(shell.project, 'catalog', path))
      }
      const changed = written.size + emptied.length
      if (shell.format === 'json')
        shell.json({ ...proposed, written: write ? [...written.keys()] : [], removed: write ? emptied : [] })
      else {
        shell.out(wavesText(proposed))
        shell.say(said(changed, write, shell.command('waves', '--write')))
      }
      return exitCodes.fine
    })
  },
})

function wavesText({ waves, kept }: WavesProposed): string {
  const rows = waves.map((wave) => [
    wave.file,
    wave.rule,
    String(wave.people),
    wave.renewals === null ? '' : `${wave.renewals.first.slice(0, 10)} to ${wave.renewals.last.slice(0, 10)}`,
    wave.from === undefined ? 'now' : wave.from.slice(0, 10),
    risksOf(wave),
    Object.entries(wave.mrr)
      .map(([currency, amount]) => money(amount, currency))
      .join(', '),
  ])
  const people = waves.reduce((sum, wave) => sum + wave.people, 0)
  return [
    `${plural(waves.length, 'wave')} for ${plural(people, 'subscriber')} who ${people === 1 ? 'has' : 'have'} not moved`,
    ...(rows.length === 0
      ? []
      : columns([['file', 'rule', 'people', 'next renewals', 'all can move', 'risk', 'a month'], ...rows])),
    ...(kept.length === 0 ? [] : [`Begun, and left as they are: ${kept.join(', ')}`]),
  ].join('\n')
}

function risksOf({ risks: counts }: Wave): string {
  return risks.flatMap((risk) => (counts[risk] === undefined ? [] : [`${counts[risk]} ${risk}`])).join(', ')
}

function said(changed: number, isWritten: boolean, again: string): string {
  if (changed === 0) return 'The files already hold exactly these waves.'
  if (isWritten) return 'Written. Review the difference; then set `stage: target` in the pilot.'
  return `Nothing was written. Move the entries into these files with: ${again} and the same flags.`
}

function refuseUnknown(named: readonly string[], known: readonly string[]): void {
  const unknown = named.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError('unknown-source', `the project has no source "${unknown}"`, `It has: ${known.join(', ')}.`)
}
