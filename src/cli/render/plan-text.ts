import type { ChalkInstance } from 'chalk'
import type { Plan } from '../../plan/types.ts'
import { cardsLine } from './cards-line.ts'
import { carriedTotals } from './carried.ts'
import { noticeLines } from './notice-lines.ts'
import { planView, type PersonChange, type PlanView, type RepricedView } from './plan-view.ts'
import { actionWords, columns, firstFew, plural, shortAddress, when } from './words.ts'

const membersShown = 12

/**
 * A plan for the terminal: money and people first, then the catalog, then what waits and what is
 * blocked.
 */
export function planText(plan: Plan, paint: ChalkInstance): string {
  const view = planView(plan)
  const sections = [
    [paint.bold(view.title), `  ${view.accounts.join(' · ')}`],
    guardSection(view, paint),
    moneySection(view, paint),
    ...view.repriced.map((one) => repricedSection(one, paint)),
    taxSection(view, paint),
    ...view.people.map((group) => peopleSection(group, paint)),
    resourceSection(view, paint),
    deferredSection(view, paint),
    blockedSection(view, paint),
    driftSection(view, paint),
    removedSection(view, paint),
    doorSection(view, paint),
    noticeSection(plan, paint),
    [
      view.empty ? paint.green(`Nothing to do: ${view.summary}.`) : `Plan: ${view.summary}.`,
      ...(view.everyone === '' ? [] : [`${view.everyone}.`]),
    ],
  ]
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')
}

/** Catalog lines are dim, because money and people come first. Only retire and replace are red. */
function resourceSection({ resources }: PlanView, paint: ChalkInstance): string[] {
  if (resources.length === 0) return []
  const { shown, more } = firstFew(resources, 60)
  const heads = columns(
    shown.map(({ action, address, phrase }) => [`  ${actionWords[action].sign} ${address}`, phrase]),
  )
  const lines = shown.flatMap(({ action, lines: fields, ends, people }, index) => [
    (action === 'retire' || action === 'replace' ? paint.red : paint.dim)(heads[index] ?? ''),
    ...fields.map((line) => paint.dim(`      ${line}`)),
    ...ends.map((line) => paint.yellow(`      ends: ${line}`)),
    ...(people > 0 ? [paint.yellow(`      affects ${plural(people, 'subscriber')}`)] : []),
  ])
  return [paint.bold('Catalog'), ...lines, ...andMore(more)]
}

const headings: Readonly<Record<string, (count: number) => string>> = {
  move: (count) => `Move ${plural(count, 'subscriber')} to the target account`,
  settle: (count) => `Settle ${plural(count, 'subscriber')}: cancel the old subscription, which is on hold, for good`,
  revert: (count) => `Revert ${plural(count, 'subscriber')}: back to the old account`,
  grant: (count) => `Give ${plural(count, 'member')} access in Kajabi`,
  revoke: (count) => `Revoke the access of ${plural(count, 'member')} in Kajabi`,
}

function peopleSection(group: PlanView['people'][number], paint: ChalkInstance): string[] {
  const { shown, more } = firstFew(group.changes, membersShown)
  const heading = headings[group.action]?.(group.changes.length) ?? group.action
  const rows = columns(shown.map((change) => personCells(group.action, change)))
  const lines = shown.flatMap(({ carried, difference }, i) => [
    difference === '' ? (rows[i] ?? '') : paint.yellow(rows[i] ?? ''),
    ...alongLine(carried),
  ])
  const totals = carriedTotals(group.changes)
  return [paint.bold(heading), ...lines, ...andMore(more), ...totals.map((line) => `  ${line}`)]
}

function alongLine(carried: PersonChange['carried']): string[] {
  const told = carried.flatMap(({ text }) => (text === '' ? [] : [text]))
  return told.length === 0 ? [] : [`      with ${told.join(', ')}`]
}

function personCells(action: string, { subscriber, charge, difference, because }: PersonChange): string[] {
  const sign = actionWords[action as keyof typeof actionWords].sign
  const next = charge === '' ? because : `next charge ${charge}`
  const same = charge === '' ? '' : difference === '' ? 'as before' : difference
  return [`  ${sign} ${subscriber}`, next, same]
}

function deferredSection({ deferred }: PlanView, paint: ChalkInstance): string[] {
  if (deferred.length === 0) return []
  return [
    paint.bold('Waiting'),
    ...deferred.flatMap(({ code, members }) => {
      const { shown, more } = firstFew(members, membersShown)
      const rows = columns(
        shown.map((member) => [
          `    ${shortAddress(member.address)}`,
          `until ${when(member.until)}`,
          member.message ?? '',
        ]),
      )
      return [`  ${code} (${members.length})`, ...rows, ...andMore(more)]
    }),
  ]
}

function blockedSection({ blocked }: PlanView, paint: ChalkInstance): string[] {
  if (blocked.length === 0) return []
  return [
    paint.bold('Blocked'),
    ...blocked.flatMap(({ code, reasons, count }) => {
      const { shown, more } = firstFew(reasons, 6)
      const fixes = [...new Set(shown.map(({ fix }) => fix))].filter((fix) => fix !== '')
      return [
        paint.yellow(`  ${code} (${count})`),
        ...shown.flatMap(({ who, message }) => [`    ${who}: ${message}`]),
        ...andMore(more),
        ...firstFew(fixes, 1).shown.map((fix) => `    fix: ${fix}`),
      ]
    }),
  ]
}

/**
 * Objects whose entry was only deleted from the YAML. The plan names them and does not change them.
 */
function removedSection({ removed }: PlanView, paint: ChalkInstance): string[] {
  if (removed.length === 0) return []
  const { shown, more } = firstFew(removed, membersShown)
  const list = removed.map(({ address }) => address).join(', ')
  const rows = columns(
    shown.map(({ address, id, people }) => [
      `  ${address}`,
      id,
      people === 0 ? '' : `used by ${plural(people, 'subscriber')}`,
    ]),
  )
  const fix =
    removed.length > membersShown
      ? 'list them under removed: in a catalog file, or use --allow removed_from_yaml'
      : `add removed: [${list}] to a catalog file, or use --allow removed_from_yaml`
  return [
    paint.bold('Removed from the YAML, still in use'),
    ...shown.flatMap(({ ends }, index) => [
      rows[index] ?? '',
      ...ends.map((line) => paint.dim(`      would end: ${line}`)),
    ]),
    ...andMore(more),
    `    to retire them: ${fix}`,
  ]
}

/** One line for each country. */
function taxSection({ tax }: PlanView, paint: ChalkInstance): string[] {
  if (tax.length === 0) return []
  const { shown, more } = firstFew(tax, 40)
  return [
    paint.bold('Tax that Stripe computes'),
    ...shown.map(({ where, what, outcome }) => `  ${where}, ${what}; ${outcome}`),
    ...andMore(more),
  ]
}

function driftSection({ drift }: PlanView, paint: ChalkInstance): string[] {
  if (drift.length === 0) return []
  const { shown, more } = firstFew(drift, membersShown)
  return [
    paint.bold('Changed outside Crossbill'),
    ...shown.flatMap(({ address, code, message, lines }) => [
      `  ${shortAddress(address)} ${code}: ${message}`,
      ...lines.map((line) => paint.dim(`      ${line}`)),
    ]),
    ...andMore(more),
  ]
}

function doorSection({ doors }: PlanView, paint: ChalkInstance): string[] {
  if (doors.length === 0) return []
  return [
    paint.bold('Old doors that are still open'),
    ...doors.flatMap(({ account, message, fix }) => [`  ${account}: ${message}`, `    ${fix}`]),
  ]
}

function noticeSection(plan: Plan, paint: ChalkInstance): string[] {
  const { notices = [] } = plan
  if (notices.length === 0) return []
  const failing = cardsLine(plan.cards)
  return [paint.bold('Notices'), ...(failing === '' ? [] : [paint.yellow(`  ${failing}`)]), ...noticeLines(notices)]
}

function guardSection({ tripped }: PlanView, paint: ChalkInstance): string[] {
  if (tripped.length === 0) return []
  return [
    paint.bold(paint.red('Guards that stop this plan')),
    ...tripped.map(
      ({ id, actual, limit, message }) =>
        `  ${id}: ${message ?? `${actual}, the limit is ${limit}; to allow this plan, run: crossbill apply --allow ${id}`}`,
    ),
  ]
}

function moneySection({ mrr, parts }: PlanView, paint: ChalkInstance): string[] {
  if (mrr.length === 0) return []
  const changed = mrr.filter(({ before, after }) => before !== after)
  const title = paint.bold('Monthly revenue before discounts and taxes')
  const total =
    changed.length === 0
      ? [`${title} stays ${mrr.map(({ after }) => after).join(', ')}`]
      : [
          title,
          ...columns(
            mrr.map(({ before, after }) => [`  ${before}`, before === after ? 'stays' : `becomes ${after}`]),
          ).map((line, index) => (mrr[index]?.before === mrr[index]?.after ? line : paint.yellow(line))),
        ]
  return [
    ...total,
    ...parts.map(({ what, amounts, people }) => `  of which ${what}: ${amounts} (${plural(people, 'subscriber')})`),
  ]
}

function repricedSection({ address, effect, subscribers }: RepricedView, paint: ChalkInstance): string[] {
  const { shown, more } = firstFew(subscribers, membersShown)
  const rows = columns(
    shown.map(({ subscriber, charge, before }) => [`    ${subscriber}`, `next charge ${charge}`, `was ${before}`]),
  )
  return [paint.bold(`Subscribers on ${address}`), paint.yellow(`  ${effect}`), ...rows, ...andMore(more)]
}

function andMore(more: number): string[] {
  return more === 0 ? [] : [`    … and ${more} more (--format json lists all)`]
}
