import { formatInstant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { html, raw, type Html } from './html.ts'
import { page, table } from './page.ts'
import { chargesPerDay } from './plots/charges.ts'
import { waveTimeLine } from './plots/waves.ts'
import { differences } from './rehearsal-differences.ts'
import { standing } from './rehearsal-standing.ts'
import { grouped, moment, waveName } from './rehearsal-words.ts'

/**
 * The rehearsal for the owner of the business: first the verdict, then the evidence, then what to
 * do.
 */
export function rehearsalPage(report: RehearsalReport): string {
  const body = html`${verdict(report)} ${figures(report)} ${plots(report)} ${currencies(report)} ${differences(report)}
  ${standing(report)} ${trouble(report)} ${method(report)}`
  return page('Migration rehearsal', body)
}

function day(at: RehearsalReport['began']): string {
  return formatInstant(at).slice(0, 10)
}

function verdict(report: RehearsalReport): Html {
  const { counts } = report
  const span = `${day(report.began)} to ${day(report.ended)}`
  const good = html`<p class="verdict">
    <strong>Nobody would notice.</strong> Over ${report.months} months every one of the ${grouped(counts.expected)}
    charges of the world without a migration was made in the migrated world too: to the same subscriber, at the same
    second, over the same amount. No other charge was made.
  </p>`
  const bad = html`<p class="verdict bad">
    <strong>Do not migrate yet.</strong> ${troubles(counts)}. Each is listed below with its cause and what to do.
  </p>`
  return html`<p class="soft">Crossbill · rehearsal · ${span}</p>
    <h1>Migration rehearsal: ${report.subscribers} subscribers, ${report.months} months</h1>
    ${report.ok ? good : bad}`
}

function troubles(counts: RehearsalReport['counts']): string {
  const some = (count: number, one: string, many: string): readonly string[] =>
    count === 0 ? [] : [count === 1 ? one : many.replace('#', String(count))]
  const said = [
    ...some(counts.double, 'one charge was made twice', '# charges were made twice'),
    ...some(counts.missed, 'one charge was missed', '# charges were missed'),
    ...some(counts.amount_differs, 'one charge had another amount', '# charges had another amount'),
    ...some(counts.date_differs, 'one charge had another date', '# charges had another date'),
    ...some(counts.two_payers, 'one member had two payers at once', '# members had two payers at once'),
    ...some(counts.not_moved, 'one member could not be moved', '# members could not be moved'),
  ]
  const text = said.length < 2 ? said.join('') : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function figures(report: RehearsalReport): Html {
  const { counts } = report
  const one = (value: number, label: string, shouldBeZero: boolean): Html =>
    html`<li${raw(shouldBeZero && value > 0 ? ' class="bad"' : '')}><b>${grouped(value)}</b>${label}</li>`
  return html`<ul class="figures">
    ${one(counts.expected, 'charges expected', false)} ${one(counts.actual, 'charges made', false)}
    ${one(counts.double, 'charged twice', true)} ${one(counts.missed, 'missed', true)}
    ${one(counts.amount_differs, 'other amount', true)} ${one(counts.date_differs, 'other date', true)}
    ${one(counts.two_payers, 'two payers at once', true)} ${one(counts.not_moved, 'could not be moved', true)}
  </ul>`
}

function plots(report: RehearsalReport): Html {
  const charges = html`<h2>Charges a day, in both worlds</h2>
    <figure role="img" aria-label="Charges a day in both worlds; the table of currencies below gives the totals.">
      ${chargesPerDay(report)}
      <figcaption>
        Bar: charges without a migration. Blue cap: charges with the waves applied; it lies on the bar's top when both
        runs agree. Shaded: a wave can still be undone. A red mark: the two runs differ. On a phone a bar is a week.
      </figcaption>
    </figure>`
  if (report.waves.length === 0) return charges
  return html`${charges}
    <h2>The waves</h2>
    <figure role="img" aria-label="Waves on a time line; the same dates are in the table below.">
      ${waveTimeLine(report)}
      <figcaption>
        Dot: the wave moves to the new account. Bar: it can still be undone. End of the bar: the old subscriptions are
        finished.
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
    grouped(formatMoney({ amount: row[side].amount, currency: row.currency }))
  return html`<h2>Totals by currency</h2>
    ${table<Row>(
      'Totals by currency',
      [
        { title: 'currency', cell: (row) => row.currency },
        { title: 'charges expected', number: true, cell: (row) => grouped(row.expected.charges) },
        { title: 'amount expected', number: true, cell: money('expected') },
        { title: 'charges made', number: true, cell: (row) => grouped(row.actual.charges) },
        { title: 'amount made', number: true, cell: money('actual') },
        {
          title: 'difference',
          number: true,
          cell: (row) =>
            grouped(formatMoney({ amount: row.actual.amount - row.expected.amount, currency: row.currency })),
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
    On purpose, ${grouped(sum)} things went wrong on the way and the program went on:
    ${injected.map(({ kind, count }) => `${faultWords[kind] ?? kind} ${grouped(count)}`).join(', ')}.
  </p>`
  const acted = html`<p>
    Meanwhile members acted on their own, in both worlds at the same second:
    ${members.map(({ act, count }) => `${grouped(count)} × ${act}`).join(', ')}.
  </p>`
  return html`<h2>Declined payments</h2>
    ${table(
      'Declined payments',
      [
        { title: '', cell: (row) => row.what },
        { title: 'nobody migrates', number: true, cell: (row) => grouped(row.expected) },
        { title: 'the waves are applied', number: true, cell: (row) => grouped(row.actual) },
      ],
      [
        { what: 'payments that were declined', ...declines },
        { what: 'members who fell behind or ended for it', ...dunning },
      ],
    )}
    <h2>What went wrong on purpose</h2>
    ${sum === 0 ? html`<p class="soft">Nothing in this run: <code>crossbill rehearse --faults</code> adds lost answers, rate limits, crashes, lost stores, and members who cancel or whose cards are refused.</p>` : survived}
    ${members.length === 0 ? raw('') : acted}`
}

const faultWords: Readonly<Record<string, string>> = {
  rate_limited: 'too many requests',
  lock_timeout: 'object locked by another request',
  error_before: 'error before anything was done',
  error_stored: 'error that Stripe remembers',
  error_after: 'error although it was done',
  unavailable: 'service unavailable',
  cut_before: 'connection cut before the request',
  cut_after: 'answer lost on its way',
  kill: 'the program died',
  store_lost: 'the store was lost',
}

function method(report: RehearsalReport): Html {
  return html`<h2>How this was found</h2>
    <p class="soft">
      Two worlds were built from the same data. In one nobody migrates; in the other the waves are applied as planned.
      Both were played month after month, and every charge of the first must stand in the second. No real account was
      touched; access in Kajabi is not part of it. Repeat this run (seed ${report.seed}) with
      <code>${repeat(report)}</code>.
    </p>`
}

function repeat({ months, seed, faults, world = '' }: RehearsalReport): string {
  const where = world === '' ? '' : ` --world '${world}'`
  return `crossbill rehearse --months ${months}${faults.length === 0 ? '' : ' --faults'} --seed ${seed}${where}`
}
