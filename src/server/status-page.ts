import { formatInstant, secondsPerDay, type Instant } from '../core/instant.ts'
import { explainEnd } from '../cancel/reasons.ts'
import type { ServiceStatus, StatusRow } from '../engine/inbox/status.ts'
import type { KnownStatus } from './known-status.ts'
import type { Latency } from './metrics.ts'
import { html, type Html } from '../core/html.ts'
import { latencyPlot } from './latency-plot.ts'
import { document } from './page.ts'

/** Age in seconds at which a waiting signal is a trouble: a cancel should take seconds. */
const late = 60
/** Age at which the last reconciliation is a trouble; it runs once a day. */
const stale = 2 * secondsPerDay

/** What the page says about the service itself. */
export interface About {
  readonly latency: Latency | undefined
  /** The name of the school, when the project has one. */
  readonly school: string | undefined
  readonly version: string
  /** Whether the reader asked that the page reloads by itself. */
  readonly watches: boolean
  /** When the store was read; undefined when it never answered. */
  readonly at: Instant | undefined
  /** Present while the store does not answer: the page then shows what was read last. */
  readonly away?: KnownStatus['away']
}

/**
 * The page for an operator on call: first whether anything is wrong, then what waits, what failed
 * and why, and the command that helps.
 */
export function statusPage(
  status: ServiceStatus,
  now: Instant,
  { latency, school, version, watches, at, away }: About,
): string {
  const troubles = [...storeTrouble(away, at, now), ...troublesOf(status, now)]
  const headline =
    troubles.length === 0
      ? 'All is well'
      : troubles.length === 1
        ? 'One thing needs attention'
        : `${troubles.length} things need attention`
  const body = [
    ...(school === undefined ? [] : [html`<p class="soft">${school}</p>`]),
    ...troubles.map(({ what, command }) => html`<p class="trouble">${what}<br /><code>${command}</code></p>`),
    table(
      'Signals',
      ['state', 'number'],
      Object.entries(status.states).map(([state, count]) => [state, String(count)]),
    ),
    table(
      'Dead letters',
      ['id', 'since', 'why', 'what to do'],
      status.dead.map((row) => [row.id, ago(row.acceptedAt, now), ...why(row)]),
    ),
    table(
      'Waiting',
      ['id', 'since', 'state', 'why'],
      status.waiting.map(({ id, acceptedAt, state, reason }) => [id, ago(acceptedAt, now), state, reason]),
    ),
    ...(status.cards === undefined ? [] : [cardLine(status.cards)]),
    html`<h2>Latency</h2>
      ${latencyPlot(latency?.each ?? [])}
      <p class="soft">${latencyOf(latency)}</p>`,
    table(
      'Processes',
      ['work', 'process', 'lease'],
      (status.leases ?? []).map(({ work, holder, expires }) => [
        work,
        holder,
        `${duration(Math.max(expires - now, 0))} left`,
      ]),
    ),
    html`<p class="soft">
      Last reconciliation: ${reconciled(status, now)}. Cancelling: ${status.breaker === undefined ? 'on' : 'stopped'}.
      As of ${at === undefined ? 'no answer of the store yet' : formatInstant(at)};
      ${watches ? html`this page reloads by itself (<a href="/">stop</a>)` : html`<a href="/?watch">reload by itself</a>`}.
      ${version}, Node ${process.versions.node}.
    </p>`,
  ]
  return document({
    language: 'en',
    title: `${school ?? 'Crossbill'}: ${headline.toLowerCase()}`,
    heading: headline,
    body: html`${body}`,
    wide: true,
    ...(watches ? { renewSeconds: 15 } : {}),
  })
}

/** What the reason means, with the reason itself, and what to do next. */
function why(row: StatusRow): readonly Cell[] {
  const { means = '', next = '', command = '' } = explainEnd(row) ?? {}
  return [`${means} (${row.reason})`, { text: next, code: command }]
}

interface Trouble {
  readonly what: string
  readonly command: string
}

function storeTrouble(away: KnownStatus['away'], at: Instant | undefined, now: Instant): readonly Trouble[] {
  if (away === undefined) return []
  const below = at === undefined ? 'Nothing was read yet.' : `What follows was read ${ago(at, now)}.`
  const what = `The store has not answered since ${formatInstant(away.since)} (${away.why}): signals are refused, senders send them again, and nothing is cancelled. ${below}`
  return [{ what, command: 'crossbill doctor' }]
}

function troublesOf(status: ServiceStatus, now: Instant): Trouble[] {
  const dead = status.states['dead'] ?? 0
  const age = status.oldestPendingSeconds ?? 0
  return [
    ...(status.breaker === undefined
      ? []
      : [
          {
            what: `Cancelling is stopped: ${status.breaker}. Signals are kept, and nothing is cancelled.`,
            command: 'crossbill inbox resume',
          },
        ]),
    ...(dead === 0
      ? []
      : [
          {
            what: `${dead} ${dead === 1 ? 'signal' : 'signals'} could not be carried out.`,
            command: 'crossbill inbox list --state dead',
          },
        ]),
    ...(age <= late
      ? []
      : [{ what: `The oldest signal has waited ${duration(age)}.`, command: 'crossbill inbox list' }]),
    ...(now - (status.lastReconciliation?.at ?? now) <= stale
      ? []
      : [{ what: `The last reconciliation was ${reconciled(status, now)}.`, command: 'crossbill inbox reconcile' }]),
    ...((status.lastReconciliation?.differences ?? 0) === 0
      ? []
      : [
          {
            what: `The last reconciliation found ${status.lastReconciliation?.differences} differences.`,
            command: 'crossbill verify',
          },
        ]),
  ]
}

/** Members who were asked for a card; `asked` ones have not opened Stripe's page yet. */
function cardLine({ asked = 0, opened = 0, entered = 0 }: NonNullable<ServiceStatus['cards']>): Html {
  return html`<h2>Card links</h2>
    <p>${entered} cards entered, ${opened} members on Stripe’s page or gone from it, ${asked} links not used yet.</p>`
}

function latencyOf(latency: Latency | undefined): string {
  if (latency === undefined) return 'This process has confirmed no cancel yet.'
  const { cancels, half, slowest } = latency
  const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`
  return `From request to Stripe’s confirmation, last ${cancels}: half within ${seconds(half)}, slowest ${seconds(slowest)}.`
}

function reconciled({ lastReconciliation: last }: ServiceStatus, now: Instant): string {
  return last === undefined
    ? 'never'
    : `${ago(last.at, now)}, ${last.differences} ${last.differences === 1 ? 'difference' : 'differences'}`
}

type Cell = string | { readonly text: string; readonly code: string }

function table(caption: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  if (rows.length === 0)
    return html`<h2>${caption}</h2>
      <p class="soft">None.</p>`
  const wide = heads.length > 2 ? html` class="rows"` : html``
  const head = heads.map((one) => html`<th scope="col">${one}</th>`)
  const body = rows.map(
    (row) =>
      html`<tr>
        ${row.map(cellOf)}
      </tr>`,
  )
  const whole = html`<table${wide}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
  return html`<h2>${caption}</h2>
    <div class="scroll" role="region" aria-label="${caption}" tabindex="0">${whole}</div>`
}

function cellOf(cell: Cell): Html {
  return html`<td>${written(cell)}</td>`
}

function written(cell: Cell): Html {
  if (typeof cell === 'string') return html`${cell}`
  return cell.code === '' ? html`${cell.text}` : html`${cell.text} <code>${cell.code}</code>`
}

function ago(at: Instant, now: Instant): string {
  return `${duration(Math.max(now - at, 0))} ago`
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} days`
}
