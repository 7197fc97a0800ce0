import type { Way } from '../../../plan/way.ts'
import { cardsOf, doingOf, everybody, monthly, wayWords } from '../../render/way-text.ts'
import { plural, shortAddress, when } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import { renewalsOf, type Evidence } from '../evidence.ts'
import { meaningOf, roleFor } from './who.ts'
import { code, day, monthlySum } from './words.ts'

/** Those who wait, and those who need a decision: each with the reason and what to do. */
export function people(evidence: Evidence): Document {
  const { plan, at, catalog } = evidence
  const excluded = catalog.subscribers.filter((one) => one.excluded !== undefined)
  const intro = `As of ${when(at)}. The old account continues to bill everybody on this page, so nobody is lost.`
  return {
    slug: 'people',
    title: 'Who waits, and for what',
    intro,
    sections: [
      wayOfAll(evidence.way),
      ...cardLinks(evidence),
      ...standing(plan.deferred, 'Waiting', (one) => `until ${when(one.until)}`),
      ...standing(plan.blocked, 'Blocked', (one) => `${one.message}. ${one.fix}`),
      ...(excluded.length === 0
        ? []
        : [
            {
              heading: `Excluded on purpose (${excluded.length})`,
              table: {
                heads: ['subscriber', 'reason in the YAML'],
                rows: excluded.map((one) => [code(one.key), one.excluded ?? '']),
              },
            },
          ]),
      ...(plan.deferred.length + plan.blocked.length + excluded.length === 0
        ? [{ heading: 'Nobody waits', text: 'Every subscriber is moved, moves with the next apply, or has left.' }]
        : []),
    ],
  }
}

/** Everybody in one table, whose people add up. */
function wayOfAll(way: Way): Section {
  return {
    heading: 'The way to the new account',
    text: `${everybody(way)} ${cardsOf(way)}`,
    table: {
      heads: ['where', 'why', 'people', 'a month', 'until', 'who does what'],
      rows: [
        ...way.rows.map((row) => [
          wayWords[row.state],
          row.code === undefined ? '' : code(row.code),
          String(row.people),
          monthly(row),
          row.until === undefined ? '' : day(row.until),
          doingOf(row),
        ]),
        ['together', '', String(way.people), '', '', ''],
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

function standing<T extends { readonly address: string; readonly code: string }>(
  all: readonly T[],
  heading: string,
  detail: (one: T) => string,
): Section[] {
  if (all.length === 0) return []
  const rows = all.map((one) => [
    code(shortAddress(one.address)),
    `${meaningOf(one.code)} ${code(one.code)}`,
    detail(one),
  ])
  return [{ heading: `${heading} (${all.length})`, table: { heads: ['subscriber', 'why', 'details'], rows } }]
}

/** One row for each decision: what, who, how many people, how much money, and by when. */
export function decisions(evidence: Evidence): readonly (readonly string[])[] {
  const { plan, catalog, at, doctor } = evidence
  const byKey = new Map(catalog.subscribers.map((one) => [one.key as string, one]))
  const blocked = [...Map.groupBy(plan.blocked, (one) => one.code)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, members]) => {
      const keys = [...new Set(members.map(({ address }) => shortAddress(address)))]
      const own = keys.flatMap((key) => byKey.get(key) ?? [])
      const [first] = renewalsOf(own, at)
      return [
        `${meaningOf(reason)} ${code(reason)}`,
        roleFor(reason),
        plural(keys.length, 'person', 'people'),
        monthlySum(evidence, keys),
        first === undefined ? 'before their wave' : `before ${day(first)} to move by the next renewal`,
      ]
    })
  const doors = doctor.findings
    .filter(({ status }) => status !== 'ok')
    .map(({ account, check, message }) => [
      `${account === undefined ? '' : `${account}: `}${message} ${code(check)}`,
      'owner',
      '–',
      '',
      'before the first wave',
    ])
  return [...blocked, ...doors]
}
