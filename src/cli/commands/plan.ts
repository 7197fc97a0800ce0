import { exitCodes } from '../exit-codes.ts'
import { survey } from '../../engine/plan/survey.ts'
import { wayAhead } from '../../engine/plan/way.ts'
import { makePlan } from '../../engine/plan/make-plan.ts'
import { guardsNamed } from '../allow.ts'
import { command } from '../command.ts'
import { refuseTakenPlan, savePlan } from '../wiring/plan-file.ts'
import { printPlan } from '../report/print-plan.ts'
import { wayText } from '../render/way-text.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {
    out: {
      type: 'string',
      requiresArg: true,
      describe:
        'save the plan to this file in the project (*.json, or *.json.gz for a compressed one), and beside it a .md file for review; --format decides only what is printed',
    },
    target: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'only this address: price.x, subscriber.us/sub_…, or a prefix and *; may be repeated',
    },
    allow: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'plan with this guard allowed; removed_from_yaml retires objects that were removed from the YAML',
    },
    summary: {
      type: 'boolean',
      default: false,
      describe:
        'instead of the plan, the way of the whole school on one screen: who is there, who moves, waits or needs what, and by when',
    },
    'detailed-exitcode': { type: 'boolean', default: false, describe: 'exit 0: nothing to do, 2: changes, 1: error' },
  },
  examples: [
    ['plan', 'show what would change, for whom, and for how much money'],
    ['plan --summary', 'show how many are there, who waits until when, and who has to do what'],
    ['plan --out plans/wave-01.plan.json', 'save the plan for review; apply it later with: crossbill apply FILE'],
    ["plan --target 'subscriber.us/*'", 'plan only the subscribers of one old account'],
    ['plan --format markdown', 'print Markdown for a pull request'],
    ['plan --format html > plan.html', 'write one HTML file, which is readable on a phone'],
  ],
  formats: ['text', 'json', 'markdown', 'html'],
  pages: true,
  async run({ out, target, allow: named = [], summary, 'detailed-exitcode': detailed }, shell) {
    if (summary) return await summarize({ out, target, named }, shell)
    const allow = guardsNamed(named)
    if (out !== undefined) await refuseTakenPlan(shell.pathInProject(out))
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      const plan = await makePlan(context, { allow, ...(target === undefined ? {} : { targets: target }) })
      await printPlan(plan, shell)
      if (out !== undefined) {
        const saved = await savePlan(shell.pathInProject(out), plan)
        shell.say(
          `Saved as ${saved.map((path) => shell.near(path)).join(' and ')}. Apply exactly this with: ${shell.command('apply', shell.near(shell.pathInProject(out)))}`,
        )
      } else if (plan.changes.length > 0 && shell.format === 'text')
        shell.say(`Apply it with: ${shell.command('apply')}`)
      // Exit 2 marks a plan that covers less than the YAML declares.
      const narrower = context.catalog.leftOut !== undefined
      return narrower || (detailed && plan.changes.length > 0) ? exitCodes.found : exitCodes.fine
    })
  },
})

/** The way covers everybody, so nothing narrows it, and nothing of it can be applied. */
async function summarize(
  given: { readonly out: unknown; readonly target: unknown; readonly named: readonly string[] },
  shell: Shell,
): Promise<number> {
  if (given.out !== undefined || given.target !== undefined || given.named.length > 0)
    throw new UsageError(
      'summary-alone',
      '--summary cannot be combined with --out, --target or --allow',
      'Nothing was read. The summary covers every subscriber, and it is not a plan that can be applied.',
    )
  if (shell.format === 'markdown' || shell.format === 'html')
    throw new UsageError(
      'summary-format',
      `--summary has no ${shell.format}`,
      'Use text or json; crossbill report writes pages.',
    )
  return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
    const way = await wayAhead(context, await survey(context))
    if (shell.format === 'json') shell.json(way)
    else shell.out(wayText(way))
    return exitCodes.fine
  })
}
