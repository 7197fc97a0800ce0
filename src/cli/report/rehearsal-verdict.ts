import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { plural } from '../render/words.ts'
import { withCommas } from './rehearsal-words.ts'

/** Those who are left in the old account because they need a decision; each once. */
export function undecidedIn({ standing }: Pick<RehearsalReport, 'standing'>): number {
  const left = standing.filter(({ outcome, moved }) => outcome === 'blocked' && !moved)
  return new Set(left.map(({ subscriber }) => subscriber)).size
}

/** The verdict in one line: the same in the text, the JSON, the page and the evidence packet. */
export function verdictLine(report: Pick<RehearsalReport, 'ok' | 'subscribers' | 'standing'>): string {
  const undecided = undecidedIn(report)
  const verdict = report.ok ? 'No subscriber would notice.' : 'Do not migrate yet.'
  if (undecided === 0) return verdict
  const was = undecided === 1 ? 'was not moved and needs' : 'were not moved and need'
  return `${verdict} ${withCommas(undecided)} of ${plural(report.subscribers, 'subscriber')} ${was} a decision.`
}

/** `59 subscribers: 52 played, 15 of them moved before; not played: 5 settled before, 2 ended` */
export function peopleLine({ people }: Pick<RehearsalReport, 'people'>): string {
  const { declared, played, moved, settled, ended } = people
  const all = plural(declared, 'subscriber')
  const begun = moved === 0 ? '' : `${withCommas(moved)} of them moved before and moved from the first instant on`
  const absent = [
    ...(settled === 0 ? [] : [`${withCommas(settled)} settled before`]),
    ...(ended === 0 ? [] : [`${withCommas(ended)} ended`]),
  ].join(', ')
  if (begun === '' && absent === '') return all
  const parts = [`${withCommas(played)} played${begun === '' ? '' : `, ${begun}`}`]
  if (absent !== '') parts.push(`not played: ${absent}`)
  return `${all}: ${parts.join('; ')}`
}

type Assumed = Pick<RehearsalReport, 'answering' | 'declineRate' | 'moveDeclines' | 'carriedInvoices' | 'uncopied'>

/** What the run assumed of members and banks, and what it cannot play. */
export function assumedOf({
  answering,
  declineRate = 0,
  moveDeclines,
  carriedInvoices = 0,
  uncopied = [],
}: Assumed): readonly string[] {
  const cards =
    answering === undefined
      ? 'No member is asked for a card; --answering 0.8 lets four of five enter one.'
      : `${answering.entered} of ${plural(answering.asked, 'member')} who were asked entered a card (--answering ${answering.share}).`
  const refused =
    declineRate === 0
      ? 'No card is refused beyond what the accounts show; --declines 0.03 refuses three in a hundred.'
      : `The bank refuses ${percent(declineRate)} of the cards once, in both runs (--declines ${declineRate}).`
  const debts =
    carriedInvoices === 0
      ? []
      : [
          `${plural(carriedInvoices, 'open invoice')} moved as well, and was collected at the move instead of at the next retry.`,
        ]
  const copies =
    uncopied.length === 0
      ? []
      : [
          `Assumed: Stripe copies every customer and card of ${uncopied.join(' and ')} before the first wave; no copy has been imported yet.`,
        ]
  return [...copies, cards, refused, ...debts, byTheMove(declineRate, moveDeclines), ...notPlayed]
}

/** Declines that the other account causes. */
function byTheMove(declineRate: number, moveDeclines: Assumed['moveDeclines']): string {
  return moveDeclines === undefined
    ? `Not played: whether banks decline more charges because another account makes them (--move-declines 0.02 plays two in a hundred). Assumed: as many as before${declineRate === 0 ? '' : `, ${percent(declineRate)} in both runs`}. The first renewals of a pilot show the real rate.`
    : `The bank refuses ${plural(moveDeclines.cards, 'moved card')} once because of the move (--move-declines ${moveDeclines.share}): ${plural(moveDeclines.late, 'payment comes', 'payments come')} days later, by a retry of Stripe.`
}

const notPlayed: readonly string[] = [
  'Not played: settings that the API does not show (retries, e-mails, what ends a subscription). Assumed: the same in all accounts.',
  'Not played: access in Kajabi.',
]

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`
}
