import type { Plan } from '../../../plan/types.ts'
import { formatInstant, type Instant } from '../../../core/instant.ts'
import { monthly, wayWords } from '../../render/way-text.ts'
import { money, when } from '../../render/words.ts'
import { waveName } from '../rehearsal-words.ts'
import { said } from '../said.ts'
import type { Document, Section } from '../document.ts'
import { wavesOf, type Evidence } from '../evidence.ts'
import { code, day, monthlySum, span } from './words.ts'

/** Waves, dates, roles, steps and risks. */
export function migrationPlan(evidence: Evidence): Document {
  const { plan, catalog, at, tool, way } = evidence
  const { settle_after_days: settleDays, renewal_window_hours: windowHours } = catalog.project.policies
  return {
    slug: 'migration-plan',
    title: `Migration plan of ${catalog.project.name}`,
    name: 'Migration plan',
    intro: `Read on ${when(at)} with ${tool}. Every subscriber of the old accounts is in exactly one row of "People".`,
    sections: [
      {
        heading: 'Accounts',
        table: {
          heads: ['name', 'id', 'mode', 'role'],
          rows: Object.entries(plan.basis.accounts).map(([name, { id, livemode }]) => [
            name,
            code(id),
            livemode ? 'live' : 'test',
            name === 'target' ? 'bills all subscribers in the end' : 'old account',
          ]),
        },
      },
      {
        heading: 'Waves',
        text: 'A wave is a file. Edit its `stage` to move, revert or settle the wave.',
        table: {
          heads: ['wave', 'still in the old account', 'moved, can be undone', 'settled', 'ended or ending'],
          rows: wavesOf(evidence).map(({ file, people: { source, moved, settled, ended } }) => [
            `${waveName(file)} ${code(file)}`,
            ...[source, moved, settled, ended].map(String),
          ]),
        },
      },
      {
        heading: 'Dates',
        text: `Nobody is moved within ${windowHours} hours before a renewal. A move can be settled once its first renewal in the new account is paid, or ${settleDays} days after it.`,
        table: {
          heads: [
            'wave',
            'moved on',
            'settled on',
            'moves, as rehearsed',
            'settled, as rehearsed',
            'next renewals of those who are not moved yet',
            'a month',
          ],
          rows: wavesOf(evidence).map(({ file, renewals, moved, settled }) => {
            const keys = catalog.subscribers.filter((one) => one.file === file).map(({ key }) => key)
            return [
              waveName(file),
              span(moved),
              span(settled),
              ...rehearsedDates(evidence, file),
              span(renewals),
              monthlySum(evidence, keys),
            ]
          }),
        },
      },
      { heading: 'Steps and roles', table: { heads: ['step', 'who', 'can be undone'], rows: steps } },
      {
        heading: 'People',
        text: 'Those who wait or need a decision are on [their own page](people).',
        table: {
          heads: ['where', 'people', 'a month'],
          rows: [
            ...way.rows.map((row) => [
              row.code === undefined ? wayWords[row.state] : `${wayWords[row.state]}: ${said(row.code)}`,
              String(row.people),
              monthly(row),
            ]),
            ['together', String(way.people), ''],
          ],
        },
      },
      ...ahead(plan),
      {
        heading: 'Money',
        text: 'Monthly revenue before and after the current plan, before discounts and taxes.',
        table: {
          heads: ['currency', 'before', 'after'],
          rows: Object.entries(plan.money.mrr).map(([currency, { before, after }]) => [
            currency,
            money(before, currency),
            money(after, currency),
          ]),
        },
      },
      { heading: 'Risks', table: { heads: ['risk', 'what keeps it small', 'how you notice'], rows: risks } },
    ],
  }
}

/** The days on which the last rehearsal moved and settled a wave. */
function rehearsedDates({ rehearsals }: Evidence, file: string): readonly [moves: string, settles: string] {
  const played = rehearsals[0]?.waves.find(({ name }) => name === file)
  const dayOf = (at: Instant | undefined): string => (at === undefined ? '–' : day(formatInstant(at)))
  return [dayOf(played?.movedAt), dayOf(played?.settledAt)]
}

const steps: readonly (readonly string[])[] = [
  ['apply the catalog to the new account', 'billing engineer', 'yes'],
  ['have Stripe copy customers and payment methods', 'owner', 'not needed'],
  ['rehearse until no subscriber would notice', 'billing engineer', 'yes, nothing real changes'],
  ['move the pilot wave, watch its first renewals', 'billing engineer and owner', 'yes'],
  ['move the other waves', 'billing engineer', 'yes'],
  ['settle each wave after its renewals are proven', 'billing engineer, after the owner agrees', 'no'],
  ['close the old doors', 'owner', 'yes'],
]

const risks: readonly (readonly string[])[] = [
  [
    'two accounts charge one member',
    'the old subscription is on hold before the new one exists',
    '`crossbill verify`: `double_payer`',
  ],
  ['nobody charges a member', 'a move that is not proven is undone', '`crossbill verify`: `no_payer`'],
  ['the amount or the date changes', 'a move with another amount is refused', 'the plan, and the rehearsal'],
  ['a copied card is declined', 'Stripe sets the card up at the move', '`crossbill cards check`'],
  ['a member loses access', 'offers are protected for seven days around a move', '`crossbill verify`'],
  ['a run is interrupted', 'the next run finishes or undoes what it finds', '`crossbill apply` says what it recovered'],
  [
    'a member was forgotten',
    'every live subscription is declared or excluded',
    '`crossbill verify`: `undeclared_subscription`',
  ],
]

/** Notices on what no row of "People" shows, such as subscriptions that begin or end later. */
function ahead({ notices = [] }: Plan): Section[] {
  if (notices.length === 0) return []
  const rows = notices.map((one) => [
    code(one.code),
    code(one.subscriber),
    one.at === null ? '' : when(one.at),
    one.amount === undefined || one.currency === undefined ? '' : money(one.amount, one.currency),
    `${one.message}. ${one.fix}`,
  ])
  const heads = ['notice', 'subscriber', 'when', 'amount', 'details']
  return [{ heading: `Notices (${notices.length})`, table: { heads, rows } }]
}
