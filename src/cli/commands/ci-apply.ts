import { CommandError } from '../../core/outcome.ts'
import { textIn } from '../../files/gzip.ts'
import { writeOutput } from '../../files/outputs.ts'
import { planPath, type Check, type Forge, type Note, type Pull } from '../../forge/forge.ts'
import type { Plan } from '../../plan/types.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { outputBlock, planMark, planNote, readPlanMark, type PlanMark } from '../render/ci-note.ts'
import { planMarkdown } from '../render/plan-markdown.ts'
import { problemText } from '../report-error.ts'
import type { Shell } from '../shell.ts'
import { forgeOfJob, runHere } from '../wiring/ci.ts'
import { secretsFix, secretsLost } from '../wiring/ci-secrets.ts'
import { planKind, readPlan } from '../wiring/plan-file.ts'

export const main = command({
  positionals: {},
  options: {
    out: { type: 'string', requiresArg: true, default: planPath, describe: 'save the downloaded plan to this file' },
    name: {
      type: 'string',
      requiresArg: true,
      default: 'crossbill',
      describe: 'name of the note; the same as for ci plan',
    },
  },
  examples: [['ci apply', 'after a merge, apply the plan of the pull request if it is the reviewed one']],
  formats: ['text', 'json'],
  async run({ out, name }, shell) {
    const forge = await forgeOfJob(shell)
    const pull = await mergedPull(forge)
    const note = await forge.note(pull.number, planMark(name))
    const mark = note === undefined ? undefined : readPlanMark(name, note.body)
    const told = async (state: string, body: string): Promise<void> => {
      if (note === undefined) return
      const text = planNote(name, mark ?? { commit: pull.head }, state, body)
      await forge.writeNote(pull.number, text, note.id).catch((error: unknown) => shell.say(problemText(error)))
    }
    let plan: Plan
    try {
      plan = await reviewedPlan({ forge, pull, note, mark }, shell.pathInProject(out))
    } catch (error) {
      await told('**Not applied.** Nothing was changed.', outputBlock('The reason', problemText(error)))
      throw error
    }
    const { code, stdout, stderr } = await applied(shell, shell.pathInProject(out))
    const state = code === exitCodes.fine ? '**Applied, read again and proven.**' : `**The apply ended with ${code}.**`
    await told(state, [outputBlock('The apply', `${stdout}\n${stderr}`), planMarkdown(plan)].join('\n\n'))
    return code
  },
})

const notDone = 'nothing was applied'
const again = 'Open a new pull request, or apply by hand: crossbill plan --out FILE, crossbill apply FILE'

async function mergedPull(forge: Forge): Promise<Pull> {
  const { commit } = forge.job
  const pull = await forge.mergedPull(commit)
  if (pull === undefined)
    throw new CommandError('no_pull_request', `${commit} was not merged from a pull request`, { notDone, fix: again })
  if (pull.isFork)
    throw new CommandError('plan_of_fork', `pull request ${pull.number} came from a fork and has no plan`, {
      notDone,
      fix: again,
    })
  return pull
}

interface Reviewed {
  readonly forge: Forge
  readonly pull: Pull
  readonly note: Note | undefined
  readonly mark: PlanMark | undefined
}

/**
 * The saved plan, if the note shows it, the newest commit made it, and the checks are green.
 * @throws CommandError
 */
async function reviewedPlan({ forge, pull, note, mark }: Reviewed, path: string): Promise<Plan> {
  const refuse = (code: string, message: string): never => {
    throw new CommandError(code, message, { notDone, fix: again })
  }
  const where = `pull request ${pull.number}`
  if (note === undefined || mark?.digest === undefined) return refuse('plan_not_reviewed', `${where} shows no plan`)
  if (mark.commit !== pull.head)
    return refuse('plan_of_older_commit', `${where} shows the plan of ${mark.commit}, but ${pull.head} was merged`)
  refuseRed(await forge.checks(pull.head), where)
  const bytes = await forge.planFile(pull.head)
  if (bytes === undefined) return refuse('plan_unreadable', `${where} has no saved plan of ${pull.head}`)
  if (!planKind.isOne(textIn(bytes)))
    return refuse('plan_format', `the saved plan of ${where} is not a plan of Crossbill`)
  await writeOutput({ path, kind: planKind }, bytes, { notDone })
  const plan = await readPlan(path)
  if (plan.plan !== mark.digest)
    return refuse('plan_not_the_reviewed', `the saved plan is ${plan.plan}, but ${where} shows ${mark.digest}`)
  const lost = secretsLost(plan)
  if (lost !== undefined) throw new CommandError('secret_on_job_disk', lost, { notDone, fix: secretsFix })
  return plan
}

function refuseRed(checks: readonly Check[], where: string): void {
  const wrong = checks.filter(({ state }) => state !== 'green').map(({ name, state }) => `${name} is ${state}`)
  if (checks.length > 0 && wrong.length === 0) return
  const message =
    checks.length === 0 ? `${where} has no checks` : `the checks of ${where} are not green: ${wrong.join(', ')}`
  throw new CommandError('checks_not_green', message, {
    notDone,
    fix: 'Wait until every check has ended, fix the red ones, and run this job again.',
  })
}

async function applied(shell: Shell, path: string): ReturnType<typeof runHere> {
  return await runHere(shell, ['apply', path, '--yes', '--format', shell.format], { shown: true })
}
