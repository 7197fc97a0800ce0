import type { Plan } from '../../plan/types.ts'
import { changePhrase, patchLines } from './change-phrase.ts'
import { planView, type PlanView } from './plan-view.ts'
import { actionWords, firstFew, shortAddress, when } from './words.ts'

const rowsShown = 50

/** The plan for a pull request: the same content as the text, as tables. */
export function planMarkdown(plan: Plan): string {
  const view = planView(plan)
  const sections = [
    `## Crossbill: ${view.empty ? 'nothing to do' : view.summary}`,
    `${view.title}.\\\nAccounts: ${view.accounts.join(', ')}.`,
    guards(view),
    moneyTable(view),
    resources(view),
    ...view.people.map(({ action, changes }) =>
      table(
        `To ${actionWords[action].verb} (${changes.length})`,
        ['subscriber', 'next charge', 'before this plan'],
        changes.map(({ subscriber, charge, difference, because }) => [
          code(subscriber),
          charge === '' ? because : charge,
          charge === '' ? '' : difference === '' ? 'the same' : difference,
        ]),
      ),
    ),
    table(
      `Waiting (${plan.deferred.length})`,
      ['subscriber', 'why', 'until'],
      plan.deferred.map((member) => [code(shortAddress(member.address)), code(member.code), when(member.until)]),
    ),
    table(
      `Blocked (${plan.blocked.length})`,
      ['subscriber', 'why', 'what to do'],
      plan.blocked.map((member) => [
        code(shortAddress(member.address)),
        `${code(member.code)} ${member.message}`,
        member.fix,
      ]),
    ),
    table(
      `Changed outside (${plan.drift.length})`,
      ['what', 'how'],
      plan.drift.map((drift) => [code(shortAddress(drift.address)), `${code(drift.code)} ${drift.message}`]),
    ),
    `Plan digest: ${code(plan.plan)}`,
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function resources({ resources: changes }: PlanView): string {
  return table(
    `Catalog (${changes.length})`,
    ['', 'resource', 'what', 'people'],
    changes.map((change) => [
      code(actionWords[change.action].sign),
      code(change.address),
      [changePhrase(change), ...patchLines(change)].filter((part) => part !== '').join('; '),
      change.people === 0 ? '' : String(change.people),
    ]),
  )
}

function guards({ tripped }: PlanView): string {
  return tripped
    .map(
      ({ id, actual, limit, message }) =>
        `> **Stopped by ${code(id)}**: ${message ?? `${actual}, the limit is ${limit}`}`,
    )
    .join('\n>\n')
}

function moneyTable({ mrr }: PlanView): string {
  return table(
    'Revenue a month of the people in this plan',
    ['currency', 'before', 'after'],
    mrr.map(({ currency, before, after }) => [currency, before, after]),
  )
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const { shown, more } = firstFew(rows, rowsShown)
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [
    `### ${title}`,
    '',
    line(heads),
    line(heads.map(() => '---')),
    ...shown.map(line),
    ...(more === 0 ? [] : ['', `… and ${more} more.`]),
  ].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}
