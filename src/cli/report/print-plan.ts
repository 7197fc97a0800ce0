import type { Plan } from '../../plan/types.ts'
import { planMarkdown } from '../render/plan-markdown.ts'
import { planText } from '../render/plan-text.ts'
import type { Shell } from '../shell.ts'

export async function printPlan(plan: Plan, shell: Shell): Promise<void> {
  if (shell.format === 'json') shell.json(plan)
  else if (shell.format === 'markdown') shell.out(planMarkdown(plan))
  else if (shell.format === 'html') {
    const { planHtml } = await import('./plan-page.ts')
    shell.out(planHtml(plan))
  } else shell.out(planText(plan, shell.paint))
}
