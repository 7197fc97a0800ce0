import { formatInstant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type { RehearsalDifference, RehearsalReport } from '../../engine/rehearsal-report.ts'
import { html, raw, type Html } from './html.ts'
import { folded, page, table } from './page.ts'
import { chargesPerDay, waveTimeLine } from './plots.ts'

/** The rehearsal for the owner of the business: first whether it would go well, then the evidence, then what to do. */
export async function rehearsalPage(report: RehearsalReport): Promise<string> {
  const body = html`${verdict(report)} ${figures(report)} ${await plots(report)} ${currencies(report)}
  ${differences(report)} ${standing(report)} ${trouble(report)} ${method(report)}`
  return page('Migration rehearsal', body)
}

function day(at: RehearsalReport['began']): string {
  return formatInstant(at).slice(0, 10)
}

function verdict(report: RehearsalReport): Html {
  const { counts } = report
  const span = `${day(report.began)} to ${day(report.ended)}`
  const good = html`<p class="verdict">
    <strong>Nobody would notice.</strong> Over ${report.months} months every one of the ${counts.expected} charges of
    the world without a migration was made in the migrated world too: to the same subscriber, at the same second, over
    the same amount. No other charge was made.
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
    html`<li${raw(shouldBeZero && value > 0 ? ' class="bad"' : '')}><b>${value}</b>${label}</li>`
  return html`<ul class="figures">
    ${one(counts.expected, 'charges expected', false)} ${one(counts.actual, 'charges made', false)}
    ${one(counts.double, 'charged twice', true)} ${one(counts.missed, 'missed', true)}
    ${one(counts.amount_differs, 'other amount', true)} ${one(counts.date_differs, 'other date', true)}
    ${one(counts.two_payers, 'two payers at once', true)} ${one(counts.not_moved, 'could not be moved', true)}
  </ul>`
}

async function plots(report: RehearsalReport): Promise<Html> {
  const charges = html`<h2>Charges a day, in both worlds</h2>
    <figure role="img" aria-label="Charges a day in both worlds; the table of currencies below gives the totals.">
      ${raw(await chargesPerDay(report))}
      <figcaption>
        Bars: nobody migrates. Line: the waves are applied. Where the line leaves the bars, somebody is charged
        differently.
      </figcaption>
    </figure>`
  if (report.waves.length === 0) return charges
  return html`${charges}
    <h2>The waves</h2>
    <figure role="img" aria-label="Waves on a time line; the same dates are in the table below.">
      ${raw(await waveTimeLine(report))}
      <figcaption>
        Dot: the wave moves to the new account. Bar: it can still be undone. End of the bar: the old subscriptions are
        finished.
      </figcaption>
    </figure>
    ${table(
      'Waves',
      [
        { title: 'wave', cell: (wave) => wave.name },
        { title: 'people', number: true, cell: (wave) => wave.people },
        { title: 'moved', cell: (wave) => formatInstant(wave.movedAt) },
        {
          title: 'settled',
          cell: (wave) => (wave.settledAt === undefined ? 'not yet' : formatInstant(wave.settledAt)),
        },
      ],
      report.waves,
    )}`
}

function currencies(report: RehearsalReport): Html {
  type Row = RehearsalReport['currencies'][number]
  const money = (side: 'expected' | 'actual') => (row: Row) =>
    formatMoney({ amount: row[side].amount, currency: row.currency })
  return html`<h2>Totals by currency</h2>
    ${table<Row>(
      'Totals by currency',
      [
        { title: 'currency', cell: (row) => row.currency },
        { title: 'charges expected', number: true, cell: (row) => row.expected.charges },
        { title: 'amount expected', number: true, cell: money('expected') },
        { title: 'charges made', number: true, cell: (row) => row.actual.charges },
        { title: 'amount made', number: true, cell: money('actual') },
        {
          title: 'difference',
          number: true,
          cell: (row) => formatMoney({ amount: row.actual.amount - row.expected.amount, currency: row.currency }),
        },
      ],
      report.currencies,
    )}`
}

const differenceWords: Readonly<Record<RehearsalDifference['code'], string>> = {
  double: 'Charged twice',
  missed: 'Not charged',
  amount_differs: 'Another amount',
  date_differs: 'Another date',
  two_payers: 'Two payers at once',
  not_moved: 'Could not be moved',
}

function differences(report: RehearsalReport): Html {
  if (report.differences.length === 0)
    return html`<h2>Differences</h2>
      <p>None.</p>`
  const codes = Object.keys(differenceWords) as RehearsalDifference['code'][]
  const groups = codes
    .map((code) => ({ code, rows: report.differences.filter((one) => one.code === code) }))
    .filter(({ rows }) => rows.length > 0)
  return html`<h2>Differences</h2>
    ${groups.map(({ code, rows }) =>
      folded(
        `${differenceWords[code]}: ${rows.length}`,
        table(
          differenceWords[code],
          [
            { title: 'subscriber', cell: (row) => html`<code>${row.subscriber}</code>` },
            { title: 'when', cell: (row) => formatInstant(row.at) },
            { title: 'what', cell: (row) => row.detail },
            { title: 'why', cell: (row) => row.cause },
            { title: 'what to do', cell: (row) => row.remedy },
          ],
          rows,
        ),
        rows.length <= 20,
      ),
    )}`
}

/** Grouped by code, the largest group first: two hundred people with one cause are one line to act on. */
function standing(report: RehearsalReport): Html {
  if (report.standing.length === 0)
    return html`<h2>People who stay where they are</h2>
      <p>None: everybody can be moved.</p>`
  const groups = new Map<string, RehearsalReport['standing'][number][]>()
  for (const one of report.standing) groups.set(one.code, [...(groups.get(one.code) ?? []), one])
  const sorted = [...groups.entries()].toSorted(([, a], [, b]) => b.length - a.length)
  return html`<h2>People who stay where they are</h2>
    <p>
      The old account goes on billing them, so nobody is lost. Deferred people move by themselves with a later wave;
      blocked ones need a decision.
    </p>
    ${sorted.map(([code, rows]) => {
      const first = rows[0]
      return folded(
        `${code}: ${rows.length} ${first?.outcome ?? ''}`,
        html`<p>${first?.message ?? ''}</p>
          <p><strong>What to do:</strong> ${first?.fix ?? ''}</p>
          ${table(
            code,
            [
              { title: 'subscriber', cell: (row) => html`<code>${row.subscriber}</code>` },
              { title: 'until', cell: (row) => (row.until === undefined ? '' : formatInstant(row.until)) },
              { title: 'why', cell: (row) => row.message },
            ],
            rows,
          )}`,
        rows.length <= 5,
      )
    })}`
}

function trouble(report: RehearsalReport): Html {
  const faults = report.faults.filter((fault) => fault.count > 0)
  const injected = html`<p>
    On purpose, ${faults.reduce((sum, fault) => sum + fault.count, 0)} things went wrong on the way and were survived:
    ${faults.map((fault) => `${fault.kind} ${fault.count}`).join(', ')}.
  </p>`
  return html`<h2>Declines and faults</h2>
    <p>
      Declined payments: ${report.declines.actual} (without migration ${report.declines.expected}). Subscriptions that
      fell behind or ended for it: ${report.dunning.actual} (without migration ${report.dunning.expected}).
    </p>
    ${faults.length === 0 ? html`<p class="soft">No faults were injected in this run; <code>rehearse --faults</code> adds lost answers, rate limits and crashes.</p>` : injected}`
}

function method(report: RehearsalReport): Html {
  return html`<h2>How this was found</h2>
    <p class="soft">
      Two worlds were built from the same data. In one nobody migrates; in the other the waves are applied as planned.
      Both were played month after month, and every charge of the first must stand in the second. No real account was
      touched. Repeat this run with <code>crossbill rehearse --months ${report.months} --seed ${report.seed}</code>.
    </p>`
}
