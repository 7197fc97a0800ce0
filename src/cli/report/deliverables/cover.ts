import { guardDefaults } from '../../../catalog/guards.ts'
import { plural, when } from '../../render/words.ts'
import { nameOf, type Document, type Section } from '../document.ts'
import { peopleIn, placesOf, wavesOf, type Evidence, type Place } from '../evidence.ts'
import { declineBars, shareText } from '../plots/declines.ts'
import { revenueByStage } from '../plots/revenue.ts'
import { waveTimeLine } from '../plots/waves.ts'
import { assumedOf, verdictLine } from '../rehearsal-verdict.ts'
import { waveName } from '../rehearsal-words.ts'
import type { Since } from '../since.ts'
import { decisionHeads, decisions } from './decisions.ts'
import { monthlySum, span } from './words.ts'

const places: readonly (readonly [Place, string])[] = [
  ['source', 'old account'],
  ['moved', 'new account, can be undone'],
  ['settled', 'new account, settled'],
  ['ended', 'ended or ending'],
]

/** The first page: the verdict, the waves, the money, who decides what, and the way to the rest. */
export function cover(evidence: Evidence, others: readonly Document[], since?: Since): Document {
  const { at, tool, catalog, verified, rehearsals, way } = evidence
  const keysIn = keysByPlace(evidence)
  const count = (place: Place): number => keysIn.get(place)?.length ?? 0
  const open = decisions(evidence)
  return {
    slug: 'index',
    title: `The move of ${catalog.project.name}`,
    intro: `As of ${when(at)}, read from the accounts with ${tool}. Nothing here is typed by hand. The first number is the sum of the next four.`,
    verdict: verdictOf(evidence, count),
    figures: [
      { label: 'subscribers', value: way.people },
      { label: 'in the old accounts', value: count('source') },
      { label: 'moved, can be undone', value: count('moved') },
      { label: 'settled', value: count('settled') },
      { label: 'ended or ending', value: count('ended') },
      { label: 'wait for a date', value: peopleIn(evidence, 'waits') },
      { label: 'wait for Stripe’s copy', value: peopleIn(evidence, 'uncopied') },
      { label: 'asked for a card', value: peopleIn(evidence, 'asked') },
      { label: 'need a decision', value: peopleIn(evidence, 'needs'), bad: peopleIn(evidence, 'needs') > 0 },
      { label: 'violations', value: verified.violations.length, bad: verified.violations.length > 0 },
    ],
    sections: [
      ...(since === undefined ? [] : [sinceSection(since)]),
      {
        heading: 'Waves',
        text:
          rehearsals.length === 0
            ? 'The dates of the waves are drawn after `crossbill rehearse`.'
            : `As the rehearsal of ${when(rehearsals[0]?.at ?? '')} played them.`,
        ...(rehearsals[0] === undefined
          ? {}
          : {
              plot: {
                picture: waveTimeLine(rehearsals[0]),
                words:
                  'Dot: the wave moves. Bar: it can be undone. End of the bar: the old subscriptions are cancelled. The table has the people.',
              },
            }),
        table: {
          heads: ['wave', 'old account', 'moved', 'settled', 'next renewals there', 'moved on', 'settled on'],
          rows: wavesOf(evidence).map(({ file, people, renewals, moved, settled }) => [
            waveName(file),
            ...[people.source, people.moved, people.settled].map(String),
            ...[renewals, moved, settled].map(span),
          ]),
        },
      },
      {
        heading: 'Money a month, by stage',
        text: 'Before discounts and taxes.',
        plot: {
          picture: revenueByStage(evidence.monthly, placesOf(evidence)),
          words:
            'One bar for each currency. Green: settled. Blue: moved, can be undone. Grey: billed by the old accounts. The table has the amounts.',
        },
        table: {
          heads: ['stage', 'people', 'a month'],
          rows: places.map(([place, words]) => [
            words,
            String(count(place)),
            monthlySum(evidence, keysIn.get(place) ?? []),
          ]),
        },
      },
      declinesSection(evidence),
      rehearsedSection(evidence),
      {
        heading: `Who decides what (${open.length})`,

        ...(open.length === 0 ? { text: 'Nothing is open.' } : { table: { heads: decisionHeads, rows: open } }),
      },
      {
        heading: 'The documents',
        table: {
          heads: ['page', 'answers'],
          rows: others.map((one) => [`[${nameOf(one)}](${one.slug})`, answers[one.slug] ?? '']),
        },
      },
    ],
  }
}

const answers: Readonly<Record<string, string>> = {
  'migration-plan': 'what happens in which order, who does it, and what could go wrong',
  mapping: 'which old price, coupon and subscription became which new one, and whether they are the same',
  verification: 'what was tested, when, by which version, with what result',
  'cutover-checklist': 'what is still to do before, during and after each wave',
  rollback: 'who can go back, until when, and with which commands',
  runbook: 'what to type on the day, at night, and when something is down',
  webhooks: 'which endpoints and keys exist, and what becomes of each',
  decisions: 'who decides what by when, what was approved and done, and what the YAML decides',
  people: 'who is not moved yet, why, and what helps',
  rehearsal: 'what happened when the migration was played on these data, charge by charge',
  'rehearsal-faults': 'the same with lost answers, crashes and members who leave',
  since: 'what is different since the report before, and for whom',
  codes: 'what the codes in small print mean',
}

function keysByPlace(evidence: Evidence): ReadonlyMap<Place, readonly string[]> {
  return new Map(
    [...Map.groupBy(placesOf(evidence), ([, place]) => place)].map(([place, all]) => [place, all.map(([key]) => key)]),
  )
}

function verdictOf(evidence: Evidence, count: (place: Place) => number): NonNullable<Document['verdict']> {
  const { verified, way } = evidence
  const [needed, asked, later] = [peopleIn(evidence, 'needs'), peopleIn(evidence, 'asked'), peopleIn(evidence, 'waits')]
  const uncopied = peopleIn(evidence, 'uncopied')
  const ended = count('ended')
  const parts = [
    `The new account bills ${count('moved') + count('settled')} of ${plural(way.people, 'subscriber')}.`,
    ...(ended === 0 ? [] : [`${plural(ended, 'has', 'have')} ended or ${ended === 1 ? 'ends' : 'end'}.`]),
    verified.ok
      ? `Exactly one account bills each of ${ended === 0 ? 'them' : 'the others'}.`
      : `${plural(verified.violations.length, 'violation')} must be looked at first.`,
    ...(uncopied === 0
      ? []
      : [
          `${plural(uncopied, 'person waits', 'people wait')} for Stripe’s copy of customers and cards, which the owner requests.`,
        ]),
    ...(needed === 0 ? [] : [`${plural(needed, 'person needs', 'people need')} a decision.`]),
    ...(asked === 0 ? [] : [`${plural(asked, 'person is', 'people are')} asked for a card.`]),
    ...(later === 0 ? [] : [`${plural(later, 'person waits', 'people wait')} for a date.`]),
  ]
  return { good: verified.ok && needed === 0, text: parts.join(' ') }
}

function declinesSection({ declines: { renewals, setups, sources }, catalog }: Evidence): Section {
  const limit = catalog.project.guards.declines ?? guardDefaults.declines
  const bars = [
    { what: 'renewals in the new account', ...renewals },
    { what: 'cards set up at a move', ...setups },
    { what: 'payments of the old accounts', ...sources },
  ]
  return {
    heading: 'Declined payments',
    text: `No further wave moves while the new account is more than ${plural(limit, 'percentage point')} worse than the old ones.`,
    plot: {
      picture: declineBars(bars),
      words: 'Red: the share that failed, all on one scale. The table has the numbers.',
    },
    table: {
      heads: ['what', 'failed', 'of', 'share that failed'],
      rows: bars.map((bar) => [bar.what, String(bar.failed), String(bar.of), shareText(bar)]),
    },
  }
}

function rehearsedSection({ rehearsals }: Evidence): Section {
  const [last] = rehearsals
  if (last === undefined) return { heading: 'Rehearsal', text: 'Not run in this project folder: `crossbill rehearse`.' }
  return {
    heading: 'Rehearsal',
    text: `${verdictLine(last)} Played on ${when(last.at)}, ${plural(last.months, 'month')} ahead: [the whole rehearsal](${last.withFaults ? 'rehearsal-faults' : 'rehearsal'}). ${assumedOf(last).join(' ')}`,
  }
}

function sinceSection({ at, rows }: Since): Section {
  return {
    heading: `Since ${when(at)}`,
    ...(rows.length === 0
      ? { text: 'Nothing changed.' }
      : { text: 'For whom: [since the report before](since).', table: { heads: ['what', 'then', 'now'], rows } }),
  }
}
