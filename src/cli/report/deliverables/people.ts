import type { WayRow } from '../../../plan/way.ts'
import { cardsOf, doingOf, everybody, monthly, wayWords } from '../../render/way-text.ts'
import { firstFew, when } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import type { Evidence } from '../evidence.ts'
import { said } from '../said.ts'
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
function named(row: WayRow, { plan, catalog, dates }: Evidence): Section {
  const messages = new Map(
    [...plan.blocked, ...plan.deferred].map(({ address, message = '' }) => [
      address.replace(/^subscriber\./, ''),
      message,
    ]),
  )
  const renewals = new Map(catalog.subscribers.map((one) => [one.key as string, one.next_invoice]))
  const { shown, more } = firstFew(row.subscribers, namedAtMost)
  const columns: readonly (readonly [head: string, cell: (key: string) => string])[] = [
    ['subscriber', code],
    ['next renewal as pulled', (key) => renewalDay(renewals.get(key))],
    ['ended on', (key) => dayOf(dates.get(key)?.ended)],
    ['details', (key) => messages.get(key) ?? ''],
  ]
  const filled = columns.filter(
    ([head, cell]) => !['details', 'ended on'].includes(head) || shown.some((key) => cell(key) !== ''),
  )
  return {
    heading: `${sentence(wayWords[row.state])} (${row.people})${row.code === undefined ? '' : `: ${row.code.replaceAll('_', ' ')}`}`,
    ...withText([
      row.code === undefined ? '' : said(row.code),
      doingOf(row),
      more === 0 ? '' : `The first ${namedAtMost}; crossbill plan --format json lists all.`,
    ]),
    table: {
      heads: filled.map(([head]) => head),
      rows: shown.map((key) => filled.map(([, cell]) => cell(key))),
    },
  }
}

/** No empty paragraph. */
function withText(parts: readonly string[]): { readonly text?: string } {
  const text = parts.filter((part) => part !== '').join(' ')
  return text === '' ? {} : { text }
}

function dayOf(at: string | undefined): string {
  return at === undefined ? '' : day(at)
}

function renewalDay(next: number | undefined): string {
  return next === undefined ? '' : day(new Date(next * 1_000).toISOString())
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
