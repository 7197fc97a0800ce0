import { plural, when } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import { placesOf, wavesOf, type Evidence, type Place } from '../evidence.ts'
import { revenueByStage } from '../plots/revenue.ts'
import { waveTimeLine } from '../plots/waves.ts'
import type { Since } from '../since.ts'
import { decisions } from './people.ts'
import { code, monthlySum, span } from './words.ts'

const places: readonly (readonly [Place, string])[] = [
  ['source', 'old account'],
  ['moved', 'new account, can be undone'],
  ['settled', 'new account, settled'],
]

/** The first page: the verdict, the waves, the money, who decides what, and the way to the rest. */
export function cover(evidence: Evidence, others: readonly Document[], since?: Since): Document {
  const { at, tool, catalog, plan, verified, rehearsals } = evidence
  const keysIn = keysByPlace(evidence)
  const count = (place: Place): number => keysIn.get(place)?.length ?? 0
  const open = decisions(evidence)
  return {
    slug: 'index',
    title: `The move of ${catalog.project.name}`,
    intro: `As of ${when(at)}, read from the accounts with ${tool}. Nothing here is typed by hand.`,
    verdict: verdictOf(evidence, count),
    figures: [
      { label: 'in the old accounts', value: count('source') },
      { label: 'moved, can be undone', value: count('moved') },
      { label: 'settled', value: count('settled') },
      { label: 'ended or ending', value: count('ended') },
      { label: 'wait for a date', value: peopleIn(plan.deferred) },
      { label: 'need a decision', value: peopleIn(plan.blocked), bad: plan.blocked.length > 0 },
      { label: 'violations', value: verified.violations.length, bad: verified.violations.length > 0 },
    ],
    sections: [
      ...(since === undefined ? [] : [sinceSection(since)]),
      {
        heading: 'Waves',
        text:
          rehearsals.length === 0
            ? 'The dates of the waves are drawn after `crossbill rehearse`.'
            : 'As the last rehearsal played them.',
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
          heads: ['wave', 'old account', 'moved', 'settled', 'next renewals there'],
          rows: wavesOf(evidence).map(({ file, people, renewals }) => [
            code(file.replace(/^subscribers\//, '')),
            ...[people.source, people.moved, people.settled].map(String),
            span(renewals),
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
      {
        heading: `Who decides what (${open.length})`,
        ...(open.length === 0
          ? { text: 'Nothing is open.' }
          : { table: { heads: ['decision', 'who', 'people', 'a month', 'by when'], rows: open } }),
      },
      {
        heading: 'The documents',
        table: {
          heads: ['page', 'answers'],
          rows: others.map(({ slug, title }) => [`[${title}](${slug})`, answers[slug] ?? '']),
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
  people: 'who is not moved yet, why, and what helps',
}

function keysByPlace(evidence: Evidence): ReadonlyMap<Place, readonly string[]> {
  return new Map(
    [...Map.groupBy(placesOf(evidence), ([, place]) => place)].map(([place, all]) => [place, all.map(([key]) => key)]),
  )
}

/** A subscriber with two reasons is one person. */
function peopleIn(all: readonly { readonly address: string }[]): number {
  return new Set(all.map(({ address }) => address)).size
}

function verdictOf({ plan, verified }: Evidence, count: (place: Place) => number): NonNullable<Document['verdict']> {
  const moved = count('moved') + count('settled')
  const all = moved + count('source')
  const payers = verified.ok
    ? 'Exactly one account bills each of them.'
    : `${plural(verified.violations.length, 'violation')} must be looked at first.`
  const waiting =
    plan.blocked.length === 0 ? '' : ` ${plural(peopleIn(plan.blocked), 'person needs', 'people need')} a decision.`
  const later =
    plan.deferred.length === 0 ? '' : ` ${plural(peopleIn(plan.deferred), 'person waits', 'people wait')} for a date.`
  return {
    good: verified.ok && plan.blocked.length === 0,
    text: `The new account bills ${moved} of ${plural(all, 'subscriber')}. ${payers}${waiting}${later}`,
  }
}

function sinceSection({ at, rows }: Since): Section {
  return {
    heading: `Since ${when(at)}`,
    ...(rows.length === 0 ? { text: 'Nothing changed.' } : { table: { heads: ['what', 'then', 'now'], rows } }),
  }
}
