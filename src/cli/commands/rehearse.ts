import { join } from 'node:path'
import { exitCodes } from '../exit-codes.ts'
import { formatInstant } from '../../core/instant.ts'
import { uncopiedSources } from '../../engine/uncopied.ts'
import { rehearse } from '../../engine/rehearse/rehearse.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { refuseTaken, writeOutput, type Output } from '../../files/outputs.ts'
import { command } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { withProject } from '../wiring/project.ts'
import { worldText } from '../../sandbox/kernel/unsure.ts'
import { worldSays } from '../rehearsal/world-says.ts'
import { pageKind } from '../report/page.ts'
import { pageFile, recordFile, recordKind, recordOf } from '../report/rehearsal-record.ts'
import { assumedOf, peopleLine, undecidedIn, verdictLine } from '../report/rehearsal-verdict.ts'
import { worldOf } from '../rehearsal/world-flag.ts'
import { columns, firstFew, money, plural, when } from '../render/words.ts'
import type { Shell } from '../shell.ts'

/**
 * Ten years: the last wave is long over by then, and the longest billing interval has passed three
 * times.
 */
const monthsMax = 120

export const main = command({
  positionals: {},
  options: {
    months: { type: 'number', requiresArg: true, default: 14, describe: 'months to simulate' },
    faults: {
      type: 'boolean',
      default: false,
      describe:
        'add lost answers, rate limits, crashes, lost stores, and members who cancel or whose cards are refused',
    },
    seed: { type: 'number', requiresArg: true, default: 1, describe: 'the same seed repeats a run exactly' },
    answering: {
      type: 'number',
      requiresArg: true,
      describe:
        'ask the members whose card is missing or will probably fail, and let this share of them enter one: 0.8; default: none is asked',
    },
    declines: {
      type: 'number',
      requiresArg: true,
      default: 0,
      describe: 'share of members whose card the bank refuses once, for one to three weeks, in both runs',
    },
    'move-declines': {
      type: 'number',
      requiresArg: true,
      default: 0,
      describe: 'share of moved members whose first charge in the target the bank refuses because of the move',
    },
    world: {
      type: 'string',
      requiresArg: true,
      describe:
        "how Stripe behaves where its documents are unclear: 'name=value name=value' or random:SEED (docs/sandbox.md); default: as documented; with --faults: random by the seed",
    },
    out: {
      type: 'string',
      requiresArg: true,
      describe:
        'file of the HTML report; default: report/rehearsal.html in the project, with faults report/rehearsal-faults.html',
    },
  },
  examples: [
    ['rehearse', 'play the whole migration on your own data, fourteen months ahead; no account is changed'],
    [
      'rehearse --answering 0.8 --declines 0.03',
      'see who is left when four of five asked members enter a card, and three cards in a hundred are refused',
    ],
    ['rehearse --faults --seed 7', 'do the same with crashes and lost answers'],
  ],
  formats: ['text', 'json'],
  async run({ months, faults, seed, answering, declines, 'move-declines': moveDeclines, world, out }, shell) {
    if (months < 1 || months > monthsMax)
      throw new UsageError(
        'months-out-of-range',
        `--months accepts 1 to ${monthsMax}, not ${months}`,
        'Nothing was done.',
      )
    const page: Output = {
      path: shell.pathOr(out, join('report', pageFile({ withFaults: faults }))),
      kind: { ...pageKind('the page of a rehearsal', 'rehearse', 'report'), ends: ['.html', '.htm'] },
    }
    const record: Output = {
      path: shell.pathInProject(join('report', recordFile({ withFaults: faults }))),
      kind: recordKind,
    }
    await refuseTaken([page, record], 'nothing was rehearsed')
    for (const [flag, share] of [
      ['--answering', answering ?? 0],
      ['--declines', declines],
      ['--move-declines', moveDeclines],
    ] as const)
      if (!(share >= 0 && share <= 1))
        throw new UsageError('share-out-of-range', `${flag} accepts 0 to 1, not ${share}`, 'Nothing was done.')
    const unsure = worldOf('--world', world ?? (faults ? `random:${seed}` : ''))
    return await withProject(shell, async ({ context }) => {
      const { rehearsalWorlds } = await import('../rehearsal/worlds.ts')
      const worlds = rehearsalWorlds(context, unsure)
      const uncopied = await uncopiedSources(context)
      const rehearsed = await rehearse(context, {
        months,
        faults,
        seed,
        worlds,
        declines,
        moveDeclines,
        ...(answering === undefined ? {} : { answering }),
      })
      const report = {
        ...rehearsed,
        ...(uncopied.length === 0 ? {} : { uncopied }),
        declineRate: declines,
        world: worldText(unsure),
        means: worldSays(unsure, context.catalog),
      }
      const { rehearsalPage } = await import('../report/rehearsal-page.ts')
      await writeOutput(page, rehearsalPage(report))
      await writeOutput(record, `${JSON.stringify(recordOf(report, context.tool, faults))}\n`)
      if (shell.format === 'json')
        shell.json({ ...summary(report), report: page.path, differences: report.differences })
      else shell.out(rehearsalText(report, shell.near(page.path), shell))
      return report.ok ? exitCodes.fine : exitCodes.found
    })
  },
})

function summary(report: RehearsalReport): object {
  const { seed, months, world, means = [], subscribers, counts, faults, members, ok } = report
  const { expected, actual, ...differences } = counts
  return {
    seed,
    months,
    ...(world === undefined || world === '' ? {} : { world, means }),
    verdict: verdictLine(report),
    subscribers,
    people: report.people,
    charges: { expected, actual },
    ...differences,
    faults: {
      injected: faults.reduce((sum, fault) => sum + fault.count, 0),
      by: Object.fromEntries(faults.map(({ kind, count }) => [kind, count])),
    },
    members: Object.fromEntries(members.map(({ act, count }) => [act, count])),
    ...(report.answering === undefined ? {} : { answering: report.answering }),
    decline_rate: report.declineRate ?? 0,
    assumed: assumedOf(report),
    move_declines: report.moveDeclines ?? { share: 0, cards: 0, late: 0 },
    undecided: undecidedIn(report),
    left: leftIn(report).map(({ subscriber, code, monthly }) => ({ subscriber, code, ...monthly })),
    ok,
  }
}

function rehearsalText(report: RehearsalReport, path: string, { paint }: Shell): string {
  const { counts, faults, members } = report
  const injected = faults.reduce((sum, fault) => sum + fault.count, 0)
  const { shown, more } = firstFew(report.differences, 20)
  return [
    `${plural(report.subscribers, 'subscriber')}, ${plural(report.months, 'month')}, seed ${report.seed}: ${when(formatInstant(report.began))} to ${when(formatInstant(report.ended))}`,
    ...(report.people.played === report.subscribers && report.people.moved === 0 ? [] : [peopleLine(report)]),
    ...columns([
      ['  charges expected', String(counts.expected)],
      ['  charges made', String(counts.actual)],
      ['  charged twice', String(counts.double)],
      ['  missed', String(counts.missed)],
      ['  different amount', String(counts.amount_differs)],
      ['  different date', String(counts.date_differs)],
      ['  two payers at once', String(counts.two_payers)],
      ['  could not be moved', String(counts.not_moved)],
      ...(injected === 0 ? [] : [['  faults survived', String(injected)]]),
      ...members.map(({ act, count }) => [`  ${act}`, String(count)]),
    ]),
    ...leftLines(report),
    ...shown.map(
      ({ code, subscriber, at, detail, cause, evidence, remedy }) =>
        `  ${code} ${subscriber} ${when(formatInstant(at))}: ${detail}. ${cause}${evidence === undefined ? '' : ` (${evidence})`} ${remedy}`,
    ),
    ...(more === 0 ? [] : [`  … and ${more} more in the report`]),
    ...(report.means ?? []).map(
      (sentence, at) => `${at === 0 ? "  Stripe's unclear behaviour:\n" : ''}    ${sentence}`,
    ),
    (report.ok ? paint.green : paint.red)(verdictLine(report)),
    ...assumedOf(report).map((line) => `  ${line}`),
    `Report: ${path}`,
  ].join('\n')
}

function leftIn({ standing }: RehearsalReport): RehearsalReport['standing'] {
  return standing.filter(({ outcome, moved }) => outcome === 'blocked' && !moved)
}

const namedAtMost = 10

/** Those who are left in the old account, by code: names, and money a month. */
function leftLines(report: RehearsalReport): readonly string[] {
  const left = leftIn(report)
  if (left.length === 0) return []
  return [
    `  left in the old account: ${plural(new Set(left.map(({ subscriber }) => subscriber)).size, 'subscriber')}`,
    ...[...Map.groupBy(left, ({ code }) => code)].map(([code, all]) => {
      const { shown, more } = firstFew(all, namedAtMost)
      const names = shown.map(({ subscriber }) => subscriber).join(', ')
      return `    ${code} (${all.length}), ${sumOf(all)} a month: ${names}${more === 0 ? '' : `, and ${more} more`}`
    }),
  ]
}

function sumOf(all: RehearsalReport['standing']): string {
  const sums = new Map<string, number>()
  for (const { monthly } of all)
    if (monthly !== undefined) sums.set(monthly.currency, (sums.get(monthly.currency) ?? 0) + monthly.amount)
  return [...sums].map(([currency, amount]) => money(amount, currency)).join(', ')
}
