import { readFile } from 'node:fs/promises'
import { digest } from '../core/canonical.ts'
import { isJsonObject } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'
import type { Plan } from '../plan/types.ts'

/**
 * Reads a saved plan and makes sure that it is the one that was saved: its digest covers everything else in it.
 * @throws CommandError `plan_unreadable`, `plan_format`, `plan_altered`
 */
export async function readPlan(path: string): Promise<Plan> {
  const document = parse(path, await readText(path))
  if (!isJsonObject(document) || document['format'] !== 1 || typeof document['plan'] !== 'string')
    throw new CommandError('plan_format', `${path} is no plan of this version`, {
      notDone: 'nothing was done',
      fix: again,
    })
  const { plan: written, ...rest } = document
  if (digest(rest) !== written)
    throw new CommandError(
      'plan_altered',
      `${path} was changed after it was made: its digest does not fit its content`,
      {
        notDone: 'nothing was done',
        fix: again,
      },
    )
  return document as unknown as Plan
}

/** Saves the plan as JSON, and beside it the Markdown for review: `wave-01.plan.json` and `wave-01.md`. @returns the paths written */
export async function savePlan(path: string, plan: Plan): Promise<string[]> {
  const { planMarkdown } = await import('./render/plan-markdown.ts')
  const { writeWhole } = await import('../files/write.ts')
  const review = `${path.replace(/(\.plan)?\.json$/, '')}.md`
  await writeWhole(path, `${JSON.stringify(plan, null, 2)}\n`)
  await writeWhole(review, `${planMarkdown(plan)}\n`)
  return [path, review]
}

const again = 'Make a new one: crossbill plan --out FILE'

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CommandError('plan_unreadable', `the plan ${path} cannot be read`, {
      notDone: 'nothing was done',
      fix: again,
      cause: error,
    })
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandError('plan_format', `${path} is not JSON`, {
      notDone: 'nothing was done',
      fix: again,
      cause: error,
    })
  }
}
