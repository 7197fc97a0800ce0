import type { Plan } from '../../plan/types.ts'
import { planMarkdown } from './plan-markdown.ts'
import { planText } from './plan-text.ts'
import type { Shell } from '../shell.ts'

export function printPlan(plan: Plan, shell: Shell): void {
  if (shell.format === 'json') shell.json(plan)
  else shell.out(shell.format === 'markdown' ? planMarkdown(plan) : planText(plan, shell.paint))
}
