import { addressesOf } from '../../plan/assemble.ts'
import type { Notice, Plan } from '../../plan/types.ts'
import { carriedTotals } from './carried.ts'
import { planView, type PlanView, type RepricedView } from './plan-view.ts'
import { code, fittingMarkdown, markdownTable, prose } from './markdown-table.ts'
import { actionWords, plural, shortAddress, when } from './words.ts'

/**
 * The plan for a pull request: the content of the text as tables, never longer than a comment may
 * be.
 */
export function planMarkdown(plan: Plan): string {
  const view = planView(plan)
  return fittingMarkdown((limit) => document(plan, view, limit))
}

function document(plan: Plan, view: PlanView, limit: number): string {
  const reasons = view.blocked.flatMap((group) => group.reasons)
  const sections = [
    `## Crossbill: ${view.empty ? 'nothing to do' : view.summary}`,
    `**${prose(view.verdict)}**`,
    guards(view),
    overview(view, limit),
    ...view.repriced.slice(0, limit).map((one) => repricedTable(one, limit)),
    view.repriced.length > limit
      ? `… and the subscribers of ${plural(view.repriced.length - limit, 'more price')} (\`--format json\` lists all).`
      : '',
    markdownTable(
      'Tax that Stripe computes',
      ['where', 'what', 'then'],
      view.tax.map(({ where, what, outcome }) => [where, what, outcome]),
      { limit, folded: true },
    ),
    ...view.people.map((group) => people(group, limit)),
    resources(view, limit),
    markdownTable(
      `Waiting (${addressesOf(plan.deferred).size})`,
      ['subscriber', 'why', 'until'],
      someOfEach(view.deferred, limit).map((member) => [
        code(shortAddress(member.address)),
        code(member.code),
        when(member.until),
      ]),
      {
        limit,
        folded: true,
        text: counts(view.deferred.map(({ code: name, members }) => ({ code: name, count: members.length }))),
        all: plan.deferred.length,
      },
    ),
    markdownTable(
      `Blocked (${addressesOf(plan.blocked).size})`,
      ['subscriber', 'why', 'what to do'],
      someOfEach(
        view.blocked.map(({ reasons }) => ({ members: reasons })),
        limit,
      ).map((one) => [code(one.who), `${code(one.code)} ${one.message}`, one.fix]),
      { limit, text: counts(view.blocked), all: reasons.length },
    ),
    markdownTable(
      `Changed outside Crossbill (${plan.drift.length})`,
      ['object', 'change'],
      view.drift.map(({ address, code: name, message, lines }) => [
        code(shortAddress(address)),
        [`${code(name)} ${message}`, ...lines].join('; '),
      ]),
      { limit, folded: true },
    ),
    markdownTable(
      `Removed from the YAML, still in use (${view.removed.length})`,
      ['object', 'id', 'subscribers', 'what would end', 'to retire it'],
      view.removed.map(({ address, id, people: count, ends, fix }) => [
        code(address),
        code(id),
        count === 0 ? '' : String(count),
        ends.join('; '),
        fix,
      ]),
      { limit },
    ),
    markdownTable(
      `Old doors that are still open (${view.doors.length})`,
      ['account', 'door', 'what to do'],
      view.doors.map(({ account, message, fix }) => [code(account), message, fix]),
      { limit, folded: true },
    ),
    noticeTable(plan.notices ?? [], limit),
    `${prose(view.title)}. Accounts: ${prose(view.accounts.join(', '))}.`,
    `Plan digest: ${code(plan.plan)}`,
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function people({ action, changes }: PlanView['people'][number], limit: number): string {
  const title = `To ${actionWords[action].verb} (${changes.length})`
  const some = changes.slice(0, limit + 1)
  const about = { limit, all: changes.length, folded: true }
  if (action === 'grant' || action === 'revoke')
    return markdownTable(
      title,
      ['member', 'offer', 'why'],
      some.map(({ subscriber, because }) => [...subscriber.split(' ').map(code), because]),
      about,
    )
  if (changes.every(({ charge, because, carried }) => charge === '' && because === '' && carried.length === 0))
    return markdownTable(
      title,
      ['subscriber'],
      some.map(({ subscriber }) => [code(subscriber)]),
      about,
    )
  const totals = carriedTotals(changes)
  const table = markdownTable(
    title,
    ['subscriber', 'next charge', 'before this plan', ...(totals.length === 0 ? [] : ['also carried'])],
    some.map(({ subscriber, charge, difference, because, carried }) => [
      code(subscriber),
      charge === '' ? because : charge,
      charge === '' ? '' : difference === '' ? 'the same' : difference,
      ...(totals.length === 0 ? [] : [carried.map(({ kind, text }) => text || kind).join(', ')]),
    ]),
    about,
  )
  return [table, ...totals.map((line) => `${prose(line)}.`)].join('\n\n')
}

/** The first members of every code, so that a frequent code does not hide the others. */
function someOfEach<T>(groups: readonly { readonly members: readonly T[] }[], limit: number): readonly T[] {
  const all = groups.reduce((sum, { members }) => sum + members.length, 0)
  const each = all <= limit + 1 ? all : Math.max(1, Math.floor(limit / groups.length))
  return groups.flatMap(({ members }) => members.slice(0, each))
}

/** `past_due` 36 · `open_invoice` 39 */
function counts(groups: readonly { readonly code: string; readonly count: number }[]): string {
  if (groups.length < 2) return ''
  return groups.map(({ code: name, count }) => `${code(name)} ${count}`).join(' · ')
}

function resources({ resources: changes }: PlanView, limit: number): string {
  return markdownTable(
    `Catalog (${changes.length})`,
    ['', 'resource', 'change', 'subscribers'],
    changes.map(({ address, action, phrase, lines, ends, people: count }) => [
      code(actionWords[action].sign),
      code(address),
      [phrase, ...lines, ...ends.map((line) => `ends: ${line}`)].filter((part) => part !== '').join('; '),
      count === 0 ? '' : String(count),
    ]),
    // What ends must be seen without a click.
    { limit, folded: changes.every(({ ends }) => ends.length === 0) },
  )
}

function guards({ tripped }: PlanView): string {
  return tripped
    .map(
      ({ id, actual, limit, message }) =>
        `> **Stopped by ${code(id)}**: ${prose(message ?? `${actual}, the limit is ${limit}`)}`,
    )
    .join('\n>\n')
}

/** Money and people in one table, because a reviewer looks at them first. */
function overview({ mrr, parts, people: groups }: PlanView, limit: number): string {
  const rows = [
    ...mrr.map(({ currency, before, after }) => [
      `Monthly revenue before discounts and taxes, ${currency}`,
      before,
      after,
    ]),
    ...groups.map(({ action, changes }) => [
      actionWords[action].noun.replace('to ', 'To '),
      plural(changes.length, action === 'grant' || action === 'revoke' ? 'member' : 'subscriber'),
      firstCharge(changes),
    ]),
  ]
  const table = markdownTable('Money and people', ['', 'before', 'after this plan'], rows, { limit })
  const told = parts.map(({ what, amounts, people }) => `${what}: ${amounts} (${plural(people, 'subscriber')})`)
  return told.length === 0 ? table : `${table}\n\nOf this revenue: ${prose(told.join('; '))}.`
}

function firstCharge(changes: PlanView['people'][number]['changes']): string {
  const first = changes.find(({ charge }) => charge !== '')
  return first === undefined ? '' : `first charge ${first.charge}`
}

function repricedTable({ address, effect, subscribers }: RepricedView, limit: number): string {
  const text = `${effect}.`
  const table = markdownTable(
    `Subscribers on ${address}`,
    ['subscriber', 'next charge', 'before this plan'],
    subscribers.slice(0, limit + 1).map(({ subscriber, charge, before }) => [code(subscriber), charge, before]),
    { limit, text, all: subscribers.length },
  )
  return table === '' ? prose(text) : table
}

/** The table of notices, for plans and for checks. */
export function noticeTable(notices: readonly Notice[], limit: number): string {
  return markdownTable(
    `Notices (${notices.length})`,
    ['notice', 'subscriber', 'when', 'message', 'what to do'],
    notices.map(({ code: name, subscriber, at, message, fix }) => [
      code(name),
      code(subscriber),
      at === null ? '' : when(at),
      message,
      fix,
    ]),
    { limit },
  )
}
