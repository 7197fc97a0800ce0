import { addressesOf } from '../../plan/assemble.ts'
import type { Plan } from '../../plan/types.ts'
import { html, raw, type Html } from '../../core/html.ts'
import { folded, page, table, withCode, type Column } from './page.ts'
import { carriedTotals } from '../render/carried.ts'
import {
  planView,
  type PersonChange,
  type PlanView,
  type RepricedView,
  type ResourceView,
} from '../render/plan-view.ts'
import { actionWords, plural, shortAddress, when } from '../render/words.ts'

/** Longer lists are folded, so that the next heading is visible on a phone. */
const openMost = 12

/**
 * The plan as one file that an owner can read on a phone, without network and script: first the
 * verdict, then money and people, then the rest.
 */
export function planHtml(plan: Plan): string {
  const view = planView(plan)
  const parts = [
    head(view),
    guards(view),
    money(view),
    ...view.repriced.map(repriced),
    ...view.people.map(people),
    section('Tax that Stripe computes', view.tax, [
      { title: 'where', cell: ({ where }) => where },
      { title: 'what', cell: ({ what }) => what },
      { title: 'then', cell: ({ outcome }) => outcome },
    ]),
    section(
      `Blocked (${addressesOf(plan.blocked).size})`,
      view.blocked.flatMap(({ reasons }) => reasons),
      [
        { title: 'subscriber', cell: ({ who }) => code(who) },
        { title: 'why', cell: ({ code: name, message }) => html`${code(name)} ${withCode(message)}` },
        { title: 'what to do', cell: ({ fix }) => withCode(fix) },
      ],
    ),
    section(
      `Waiting (${addressesOf(plan.deferred).size})`,
      view.deferred.flatMap(({ members }) => members),
      [
        { title: 'subscriber', cell: ({ address }) => code(shortAddress(address)) },
        { title: 'why', cell: ({ code: name, message = '' }) => html`${code(name)} ${withCode(message)}` },
        { title: 'until', cell: ({ until }) => when(until) },
      ],
    ),
    section(`Notices (${plan.notices?.length ?? 0})`, plan.notices ?? [], [
      { title: 'subscriber', cell: ({ subscriber }) => code(subscriber) },
      { title: 'when', cell: ({ at }) => (at === null ? '' : when(at)) },
      { title: 'message', cell: ({ message }) => withCode(message) },
      { title: 'what to do', cell: ({ fix }) => withCode(fix) },
    ]),
    section(`Catalog (${view.resources.length})`, view.resources, [
      { title: 'change', cell: ({ action, address }) => html`${actionWords[action].verb} ${code(address)}` },
      { title: 'details', cell: ({ phrase, lines }) => list([phrase, ...lines].filter((line) => line !== '')) },
      ...(view.resources.some(({ ends }) => ends.length > 0)
        ? [{ title: 'what ends', cell: ({ ends }: ResourceView) => list(ends) }]
        : []),
      { title: 'subscribers', number: true, cell: ({ people: count }) => (count === 0 ? '' : count) },
    ]),
    section(`Changed outside Crossbill (${view.drift.length})`, view.drift, [
      { title: 'object', cell: ({ address }) => code(shortAddress(address)) },
      {
        title: 'change',
        cell: ({ code: name, message, lines }) => html`${code(name)} ${withCode(message)} ${list(lines)}`,
      },
    ]),
    section(`Removed from the YAML, still in use (${view.removed.length})`, view.removed, [
      { title: 'object', cell: ({ address, id }) => html`${code(address)} ${code(id)}` },
      { title: 'subscribers', number: true, cell: ({ people: count }) => (count === 0 ? '' : count) },
      { title: 'what would end', cell: ({ ends }) => list(ends) },
      { title: 'to retire it', cell: ({ fix }) => withCode(fix) },
    ]),
    section(`Old doors that are still open (${view.doors.length})`, view.doors, [
      { title: 'account', cell: ({ account }) => code(account) },
      { title: 'door', cell: ({ message }) => withCode(message) },
      { title: 'what to do', cell: ({ fix }) => withCode(fix) },
    ]),
    html`<p class="soft">Plan digest: ${code(plan.plan)}</p>`,
  ]
  return page(`Crossbill plan ${plan.plan.slice(0, 12)}`, html`${parts}`, 'plan')
}

const nothing = raw('')

function code(text: string): Html {
  return html`<code>${text}</code>`
}

function list(lines: readonly string[]): Html {
  if (lines.length < 2) return html`${lines.join('')}`
  return html`<ul class="plain">
    ${lines.map((line) => html`<li>${line}</li>`)}
  </ul>`
}

/** A table with a title, folded when it is long; nothing without rows. */
function section<Row>(title: string, rows: readonly Row[], columns: readonly Column<Row>[]): Html {
  if (rows.length === 0) return nothing
  return folded(html`${title}`, table(title, columns, rows, { stacked: true }), rows.length <= openMost)
}

function head({ title, verdict, accounts, tripped, blocked, summary }: PlanView): Html {
  const tone = tripped.length > 0 || blocked.length > 0 ? ' bad' : ''
  return html`<p class="soft">Crossbill · plan</p>
    <h1>${summary.charAt(0).toUpperCase()}${summary.slice(1)}</h1>
    <p class="verdict${tone}"><strong>${verdict}</strong></p>
    <p class="soft">${title}</p>
    <p class="soft">${accounts.join(' · ')}</p>`
}

function guards({ tripped }: PlanView): Html {
  if (tripped.length === 0) return nothing
  return html`<h2>Guards that stop this plan</h2>
    <ul>
      ${tripped.map(
        ({ id, actual, limit, message }) => html`<li>${code(id)} ${message ?? `${actual}, the limit is ${limit}`}</li>`,
      )}
    </ul>`
}

function money({ mrr, parts, people: groups }: PlanView): Html {
  if (mrr.length === 0 && groups.length === 0) return nothing
  const figures = groups.map(
    ({ action, changes }) => html`<li><b>${changes.length}</b>${actionWords[action].noun}</li>`,
  )
  const revenue = table(
    'Monthly revenue before discounts and taxes',
    [
      { title: 'monthly revenue', cell: ({ currency }) => currency },
      { title: 'before', number: true, cell: ({ before }) => before },
      {
        title: 'after',
        number: true,
        cell: ({ before, after }) => (before === after ? after : html`<strong>${after}</strong>`),
      },
    ],
    mrr,
  )
  const told = parts.map(
    ({ what, amounts, people: count }) => html`<li>of which ${what}: ${amounts} (${plural(count, 'subscriber')})</li>`,
  )
  return html`<h2>Money and people</h2>
    ${
      figures.length === 0
        ? nothing
        : html`<ul class="figures">
            ${figures}
          </ul>`
    }
    ${mrr.length === 0 ? nothing : revenue}
    ${
      told.length === 0
        ? nothing
        : html`<ul>
            ${told}
          </ul>`
    }`
}

function repriced({ address, effect, subscribers }: RepricedView): Html {
  return html`<h2>Subscribers on ${code(address)}</h2>
    <p>${effect}.</p>
    ${section(`Next charges (${subscribers.length})`, subscribers, [
      { title: 'subscriber', cell: ({ subscriber }) => code(subscriber) },
      { title: 'next charge', cell: ({ charge }) => charge },
      { title: 'before this plan', cell: ({ before }) => before },
    ])}`
}

function people({ action, changes }: PlanView['people'][number]): Html {
  const title = `To ${actionWords[action].verb} (${changes.length})`
  const subscriber: Column<PersonChange> = {
    title: action === 'grant' || action === 'revoke' ? 'member' : 'subscriber',
    cell: (one) => code(one.subscriber),
  }
  if (action === 'grant' || action === 'revoke')
    return section(title, changes, [subscriber, { title: 'why', cell: ({ because }) => because }])
  const totals = carriedTotals(changes)
  const table = section(title, changes, [
    subscriber,
    { title: 'next charge', cell: ({ charge, because }) => (charge === '' ? because : charge) },
    {
      title: 'before this plan',
      cell: ({ charge, difference }) =>
        charge === '' ? '' : difference === '' ? 'the same' : html`<strong>${difference}</strong>`,
    },
    ...(totals.length === 0
      ? []
      : [
          {
            title: 'also carried',
            cell: ({ carried }: PersonChange) => carried.map(({ kind, text }) => text || kind).join(', '),
          },
        ]),
  ])
  return html`${table}${totals.map((line) => html`<p>${line}.</p>`)}`
}
