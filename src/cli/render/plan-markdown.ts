import type { Plan } from '../../plan/types.ts'
import { changePhrase, patchLines } from './change-phrase.ts'
import { planView, shared, type PlanView } from './plan-view.ts'
import { code, markdownTable } from './markdown-table.ts'
import { actionWords, shortAddress, when } from './words.ts'

/** The plan for a pull request: the same content as the text, as tables. */
export function planMarkdown(plan: Plan): string {
  const view = planView(plan)
  const sections = [
    `## Crossbill: ${view.empty ? 'nothing to do' : view.summary}`,
    `${view.title}.\\\nAccounts: ${view.accounts.join(', ')}.`,
    guards(view),
    moneyTable(view),
    markdownTable(
      'Tax that Stripe computes',
      ['where', 'what', 'then'],
      view.tax.map(({ where, what, outcome }) => [where, what, outcome]),
    ),
    ...view.people.map(people),
    resources(view),
    markdownTable(
      `Waiting (${plan.deferred.length})`,
      ['subscriber', 'why', 'until'],
      plan.deferred.map((member) => [code(shortAddress(member.address)), code(member.code), when(member.until)]),
    ),
    markdownTable(
      `Blocked (${plan.blocked.length})`,
      ['subscriber', 'why', 'what to do'],
      shared(plan.blocked).map((one) => [code(one.who), `${code(one.code)} ${one.message}`, one.fix]),
    ),
    markdownTable(
      `Changed outside (${plan.drift.length})`,
      ['what', 'how'],
      plan.drift.map((drift) => [code(shortAddress(drift.address)), `${code(drift.code)} ${drift.message}`]),
    ),
    `Plan digest: ${code(plan.plan)}`,
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function people({ action, changes }: PlanView['people'][number]): string {
  const title = `To ${actionWords[action].verb} (${changes.length})`
  if (action === 'grant' || action === 'revoke')
    return markdownTable(
      title,
      ['member', 'offer', 'why'],
      changes.map(({ subscriber, because }) => [...subscriber.split(' ').map(code), because]),
    )
  if (changes.every(({ charge, because }) => charge === '' && because === ''))
    return markdownTable(
      title,
      ['subscriber'],
      changes.map(({ subscriber }) => [code(subscriber)]),
    )
  return markdownTable(
    title,
    ['subscriber', 'next charge', 'before this plan'],
    changes.map(({ subscriber, charge, difference, because }) => [
      code(subscriber),
      charge === '' ? because : charge,
      charge === '' ? '' : difference === '' ? 'the same' : difference,
    ]),
  )
}

function resources({ resources: changes }: PlanView): string {
  return markdownTable(
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
  return markdownTable(
    'Revenue a month',
    ['currency', 'before', 'after'],
    mrr.map(({ currency, before, after }) => [currency, before, after]),
  )
}
