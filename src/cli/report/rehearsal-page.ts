import { formatInstant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { html, raw, type Html } from '../../core/html.ts'
import { page, table } from './page.ts'
import { chargesPerDay } from './plots/charges.ts'
import { waveTimeLine } from './plots/waves.ts'
import { differences } from './rehearsal-differences.ts'
import { standing } from './rehearsal-standing.ts'
import { assumedOf, peopleLine, verdictLine } from './rehearsal-verdict.ts'
import { withCommas, moment, waveName } from './rehearsal-words.ts'

/**
 * The report of a rehearsal for the owner of the business: first the verdict, then the evidence,
 * then what to do.
 */
export function rehearsalPage(report: RehearsalReport): string {
  return page('Migration rehearsal', rehearsalBody(report), 'rehearse')
}

/** The page without its frame, for a packet of pages. */
export function rehearsalBody(report: RehearsalReport): Html {
  return html`${verdict(report)} ${figures(report)} ${plots(report)} ${currencies(report)} ${differences(report)}
  ${standing(report)} ${trouble(report)} ${unclear(report)} ${method(report)}`
}

function day(at: RehearsalReport['began']): string {
  return formatInstant(at).slice(0, 10)
}

function verdict(report: RehearsalReport): Html {
  const { counts } = report
  const span = `${day(report.began)} to ${day(report.ended)}`
  const good = html`Over ${report.months} months, the run with the migration made every one of the
  ${withCommas(counts.expected)} charges of the control run: to the same subscriber, in the same second and with the
  same amount. It made no other charge.`
  const bad = html`${troubles(counts)}. The list below gives the cause of each and what to do.`
  return html`<p class="soft">Crossbill · rehearsal · ${span}</p>
    <h1>Migration rehearsal: ${report.subscribers} subscribers, ${report.months} months</h1>
    <p class="verdict${report.ok ? '' : ' bad'}"><strong>${verdictLine(report)}</strong> ${report.ok ? good : bad}</p>
    <p>${peopleLine(report)}.</p>
    <ul class="soft">
      ${assumedOf(report).map((sentence) => html`<li>${sentence}</li>`)}
    </ul>`
}

function troubles(counts: RehearsalReport['counts']): string {
  const some = (count: number, one: string, many: string): readonly string[] =>
    count === 0 ? [] : [count === 1 ? one : many.replace('#', String(count))]
  const said = [
    ...some(counts.double, 'one charge was made twice', '# charges were made twice'),
    ...some(counts.missed, 'one charge was missed', '# charges were missed'),
    ...some(counts.amount_differs, 'one charge had a different amount', '# charges had a different amount'),
    ...some(counts.date_differs, 'one charge had a different date', '# charges had a different date'),
    ...some(counts.two_payers, 'one subscriber had two payers at once', '# subscribers had two payers at once'),
    ...some(counts.not_moved, 'one subscriber could not be moved', '# subscribers could not be moved'),
  ]
  const text = said.length < 2 ? said.join('') : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function figures(report: RehearsalReport): Html {
  const { counts } = report
  const one = (value: number, label: string, shouldBeZero: boolean): Html =>
    html`<li${raw(shouldBeZero && value > 0 ? ' class="bad"' : '')}><b>${withCommas(value)}</b>${label}</li>`
  return html`<ul class="figures">
    ${one(counts.expected, 'charges expected', false)} ${one(counts.actual, 'charges made', false)}
    ${one(counts.double, 'charged twice', true)} ${one(counts.missed, 'missed', true)}
    ${one(counts.amount_differs, 'different amount', true)} ${one(counts.date_differs, 'different date', true)}
    ${one(counts.two_payers, 'two payers at once', true)} ${one(counts.not_moved, 'could not be moved', true)}
  </ul>`
}

function plots(report: RehearsalReport): Html {
  const charges = html`<h2>Charges per day in both runs</h2>
    <figure aria-label="Charges per day in both runs; the table of currencies below gives the totals.">
      ${chargesPerDay(report)}
      <figcaption>
        Bar: charges of the control run, without a migration. Blue cap: charges with the waves applied; it is on top of
        the bar when both runs agree. Shaded: a wave can still be undone. Red mark: the runs differ. On a phone, a bar
        is a week.
      </figcaption>
    </figure>`
  if (report.waves.length === 0) return charges
  return html`${charges}
    <h2>The waves</h2>
    <figure aria-label="Waves on a time line; the table below has the same dates.">
      ${waveTimeLine(report)}
      <figcaption>
        Dot: the wave moves to the new account. Bar: it can still be undone. End of the bar: the old subscriptions are
        cancelled.
      </figcaption>
    </figure>
    ${table(
      'Waves',
      [
        { title: 'wave', cell: (wave) => waveName(wave.name) },
        { title: 'people', number: true, cell: (wave) => wave.people },
        { title: 'moved', cell: (wave) => moment(wave.movedAt) },
        {
          title: 'settled',
          cell: (wave) => (wave.settledAt === undefined ? 'not yet' : moment(wave.settledAt)),
        },
      ],
      report.waves,
    )}`
}

function currencies(report: RehearsalReport): Html {
  type Row = RehearsalReport['currencies'][number]
  const money = (side: 'expected' | 'actual') => (row: Row) =>
    withCommas(formatMoney({ amount: row[side].amount, currency: row.currency }))
  return html`<h2>Totals by currency</h2>
    ${table<Row>(
      'Totals by currency',
      [
        { title: 'currency', cell: (row) => row.currency },
        { title: 'charges expected', number: true, cell: (row) => withCommas(row.expected.charges) },
        { title: 'amount expected', number: true, cell: money('expected') },
        { title: 'charges made', number: true, cell: (row) => withCommas(row.actual.charges) },
        { title: 'amount made', number: true, cell: money('actual') },
        {
          title: 'difference',
          number: true,
          cell: (row) =>
            withCommas(formatMoney({ amount: row.actual.amount - row.expected.amount, currency: row.currency })),
        },
      ],
      report.currencies,
    )}`
}

function trouble(report: RehearsalReport): Html {
  const { declines, dunning, members, faults } = report
  const injected = faults.filter((fault) => fault.count > 0)
  const sum = injected.reduce((total, fault) => total + fault.count, 0)
  const survived = html`<p>
    The rehearsal injected ${withCommas(sum)} faults, and the migration survived them:
    ${injected.map(({ kind, count }) => `${faultWords[kind] ?? kind} ${withCommas(count)}`).join(', ')}.
  </p>`
  const acted = html`<p>
    Members also acted on their own, in both runs in the same second:
    ${members.map(({ act, count }) => `${withCommas(count)} × ${act}`).join(', ')}.
  </p>`
  return html`<h2>Declined payments</h2>
    ${table(
      'Declined payments',
      [
        { title: 'what', cell: (row) => row.what },
        { title: 'control run', number: true, cell: (row) => withCommas(row.expected) },
        { title: 'with the waves applied', number: true, cell: (row) => withCommas(row.actual) },
      ],
      [
        { what: 'declined payments', ...declines },
        { what: 'subscriptions that became past due or ended because of them', ...dunning },
      ],
    )}
    <h2>Injected faults</h2>
    ${sum === 0 ? html`<p class="soft">None in this run. <code>crossbill rehearse --faults</code> adds lost answers, rate limits, crashes, lost stores, and members who cancel or whose cards are refused.</p>` : survived}
    ${members.length === 0 ? raw('') : acted}`
}

const faultWords: Readonly<Record<string, string>> = {
  rate_limited: 'too many requests',
  lock_timeout: 'object locked by another request',
  error_before: 'error before the request was done',
  error_stored: 'error that Stripe repeats for the same idempotency key',
  error_after: 'error although the request was done',
  unavailable: 'service unavailable',
  cut_before: 'connection broken before the request',
  cut_after: 'answer lost after the request was done',
  kill: 'program killed',
  store_lost: 'store lost',
}

/** What a world other than the default changes for the subscribers. */
function unclear({ means = [] }: RehearsalReport): Html {
  if (means.length === 0) return raw('')
  return html`<h2>Where Stripe's documents are unclear</h2>
    <p class="soft">In this rehearsal Stripe behaves otherwise than by default in ${means.length} respect(s).</p>
    <ul>
      ${means.map((sentence) => html`<li>${sentence}</li>`)}
    </ul>`
}

function method(report: RehearsalReport): Html {
  return html`<h2>How this was found</h2>
    <p class="soft">
      The rehearsal built two simulated worlds from the same data. The control run migrates no subscriber; the other run
      applies the waves as planned. It played both runs month by month and compared them: every charge of the control
      run must also be in the other run. No real account was changed. Repeat this run (seed ${report.seed}) with
      <code>${repeat(report)}</code>.
    </p>`
}

function repeat({
  months,
  seed,
  faults,
  world = '',
  answering,
  declineRate = 0,
  moveDeclines,
}: RehearsalReport): string {
  const asked = answering === undefined ? '' : ` --answering ${answering.share}`
  const refused = declineRate === 0 ? '' : ` --declines ${declineRate}`
  const byMove = moveDeclines === undefined ? '' : ` --move-declines ${moveDeclines.share}`
  const where = world === '' ? '' : ` --world '${world}'`
  return `crossbill rehearse --months ${months}${faults.length === 0 ? '' : ' --faults'} --seed ${seed}${asked}${refused}${byMove}${where}`
}
