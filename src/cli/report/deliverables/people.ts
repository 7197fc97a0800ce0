import type { WayRow } from '../../../plan/way.ts'
import { cardsOf, doingOf, everybody, monthly, wayWords } from '../../render/way-text.ts'
import { firstFew, plural, when } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import { renewalsOf, type Evidence } from '../evidence.ts'
import { said } from '../said.ts'
import { roleFor } from './who.ts'
import { code, day } from './words.ts'

const namedAtMost = 200

/** Everybody once; then those who wait, need something or stay, by reason and by name. */
export function people(evidence: Evidence): Document {
  const { at, way } = evidence
  const open = way.rows.filter(({ state }) => state !== 'arrived' && state !== 'moves' && state !== 'ready')
  const waiting = open.filter(({ state }) => state !== 'ended')
  return {
    slug: 'people',
    title: 'Who waits, and for what',
    intro: `As of ${when(at)}. The account that bills a subscriber today continues to do so until the move, so nobody is lost.`,
    sections: [
      wayOfAll(evidence),
      ...cardLinks(evidence),
      ...open.map((row) => named(row, evidence)),
      ...(waiting.length === 0
        ? [{ heading: 'Nobody waits', text: 'Every subscriber has moved, can move, or has ended.' }]
        : []),
    ],
  }
}

/** Everybody in one table, whose people add up. */
function wayOfAll({ way }: Evidence): Section {
  return {
    heading: 'The way to the new account',
    text: `${everybody(way)} ${cardsOf(way)}`,
    table: {
      heads: ['where', 'people', 'a month', 'until', 'who does what'],
      rows: [
        ...way.rows.map((row) => [
          row.code === undefined ? wayWords[row.state] : `${wayWords[row.state]}: ${said(row.code)}`,
          String(row.people),
          monthly(row),
          row.until === undefined ? '' : day(row.until),
          doingOf(row),
        ]),
        ['together', String(way.people), '', '', ''],
      ],
    },
  }
}

/** Who was asked for a card, and whether they entered one. */
function cardLinks({ plan: { notices = [] } }: Evidence): Section[] {
  const asked = notices.filter(({ code: one }) => one === 'card_awaited' || one === 'card_entered')
  if (asked.length === 0) return []
  const rows = asked.map((one) => [
    code(one.subscriber),
    one.code === 'card_entered' ? 'entered' : 'not yet',
    one.message,
  ])
  return [{ heading: `Asked for a card (${asked.length})`, table: { heads: ['subscriber', 'card', 'details'], rows } }]
}

/** The people of one row by their ids, each with what the next plan says about them. */
function named(row: WayRow, { plan, catalog }: Evidence): Section {
  const messages = new Map(
    [...plan.blocked, ...plan.deferred].map(({ address, message = '' }) => [
      address.replace(/^subscriber\./, ''),
      message,
    ]),
  )
  const renewals = new Map(catalog.subscribers.map((one) => [one.key as string, one.next_invoice]))
  const { shown, more } = firstFew(row.subscribers, namedAtMost)
  const details = shown.some((key) => (messages.get(key) ?? '') !== '')
  return {
    heading: `${sentence(wayWords[row.state])} (${row.people})${row.code === undefined ? '' : `: ${row.code.replaceAll('_', ' ')}`}`,
    text: [
      row.code === undefined ? '' : said(row.code),
      doingOf(row),
      more === 0 ? '' : `The first ${namedAtMost}; crossbill plan --format json lists all.`,
    ]
      .filter((part) => part !== '')
      .join(' '),
    table: {
      heads: ['subscriber', 'next renewal as pulled', ...(details ? ['details'] : [])],
      rows: shown.map((key) => {
        const next = renewals.get(key)
        return [code(key), next === undefined ? '' : day(new Date(next * 1_000).toISOString()), messages.get(key) ?? '']
      }),
    },
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** One row for each decision: what, who, how many people, how much money, and by when. */
export function decisions(evidence: Evidence): readonly (readonly string[])[] {
  const { way, catalog, at, doctor } = evidence
  const byKey = new Map(catalog.subscribers.map((one) => [one.key as string, one]))
  const needed = way.rows
    .filter(({ state }) => state === 'needs' || state === 'asked')
    .toSorted((a, b) => b.people - a.people)
    .map((row) => {
      const [first] = renewalsOf(
        row.subscribers.flatMap((key) => byKey.get(key) ?? []),
        at,
      )
      return [
        `${row.code === undefined ? wayWords[row.state] : said(row.code)}${row.note === undefined ? '' : `: ${row.note}`}`,
        roleFor(row.code ?? ''),
        plural(row.people, 'person', 'people'),
        monthly(row),
        first === undefined ? 'before their wave' : `before ${day(first)} to move by the next renewal`,
      ]
    })
  const doors = doctor.findings
    .filter(({ status }) => status !== 'ok')
    .map(({ account, check, message, fix }) => [
      `${account === undefined ? '' : `${account}: `}${message} ${code(check)}. ${fix}`,
      'owner',
      '–',
      '',
      'before the first wave',
    ])
  return [...needed, ...doors]
}
