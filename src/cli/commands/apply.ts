import type { GuardName } from '../../catalog/guards.ts'
import { exitCodes } from '../exit-codes.ts'
import { apply, type ApplyResult } from '../../engine/apply/apply.ts'
import { makePlan } from '../../engine/plan/make-plan.ts'
import type { Plan } from '../../plan/types.ts'
import { guardsNamed } from '../allow.ts'
import { command } from '../command.ts'
import { readPlan } from '../wiring/plan-file.ts'
import { withProjectDespite, type OpenProject } from '../wiring/project.ts'
import { ApplyStopped } from '../../engine/apply/stopped.ts'
import { applyText, stoppedText } from '../render/apply-text.ts'
import { planText } from '../render/plan-text.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: { file: { type: 'string', describe: 'a saved plan; without it, apply makes a plan and asks' } },
  options: {
    yes: { type: 'boolean', default: false, describe: 'apply without asking' },
    allow: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'allow one plan to go beyond this guard; may be repeated',
    },
  },
  examples: [
    ['apply', 'make a plan, ask, apply it, read again and prove the result'],
    ['apply plans/wave-01.plan.json', 'apply exactly the reviewed plan, or refuse it when the accounts changed since'],
    ['apply --yes --allow people_moved', 'go beyond one guard, by name'],
  ],
  formats: ['text', 'json'],
  async run({ file, yes, allow: named = [] }, shell) {
    const allow = guardsNamed(named)
    if (file === undefined && !yes && shell.surroundings.stdin.isTTY !== true)
      throw new UsageError(
        'nobody-to-ask',
        'apply asks before it changes anything, and there is no terminal to answer on',
        'Save a plan, review it and apply it (crossbill plan --out FILE, crossbill apply FILE), or use --yes.',
      )
    return await withProjectDespite(shell, { leniency: 'entries' }, async (project) => {
      const plan =
        file === undefined ? await reviewed(project, { yes, allow }, shell) : await readPlan(shell.existing(file))
      if (plan === undefined) {
        shell.say('Nothing was changed.')
        return exitCodes.fine
      }
      shell.stop.finishFirst(
        'Stopping after the request in flight. Nothing is lost. Press Ctrl-C again to end at once.',
      )
      const result = await apply(project.context, plan, { allow, fromFile: file !== undefined }).catch(
        (error: unknown) => {
          if (error instanceof ApplyStopped && shell.format !== 'json') shell.out(stoppedText(error.done, shell.paint))
          throw error
        },
      )
      if (shell.format === 'json') shell.json(result)
      else shell.out(applyText(result, shell.paint))
      for (const { address, message, fix } of plan.removed ?? []) shell.say(`${address}: ${message}; ${fix}`)
      return exitCode(result)
    })
  },
})

/** A plan made now; undefined when the user refuses it. */
async function reviewed(
  { context }: OpenProject,
  { yes, allow }: { readonly yes: boolean; readonly allow: readonly GuardName[] },
  shell: Shell,
): Promise<Plan | undefined> {
  const plan = await makePlan(context, { allow })
  if (yes || plan.changes.length === 0) return plan
  shell.say(planText(plan, shell.paint))
  const answer = await shell.ask('\nApply this plan? [y/N]')
  return answer !== undefined && /^y(es)?$/i.test(answer) ? plan : undefined
}

function exitCode(result: ApplyResult): number {
  if (result.interrupted) return exitCodes.interrupted
  return result.ok ? exitCodes.fine : exitCodes.error
}
