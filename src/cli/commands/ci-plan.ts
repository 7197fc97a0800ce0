import { makePlan } from '../../engine/plan/make-plan.ts'
import { planPath, type Forge, type Pull } from '../../forge/forge.ts'
import type { Plan } from '../../plan/types.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { outputBlock, planMark, planNote, type PlanMark } from '../render/ci-note.ts'
import { planMarkdown } from '../render/plan-markdown.ts'
import { problemText } from '../report-error.ts'
import { printPlan } from '../report/print-plan.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { secretsFix, secretsLost } from '../wiring/ci-secrets.ts'
import { findingLines, forgeOfJob } from '../wiring/ci.ts'
import { refuseTakenPlan, savePlan } from '../wiring/plan-file.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {
    out: {
      type: 'string',
      requiresArg: true,
      default: planPath,
      describe: 'save the plan to this file in the project',
    },
    name: {
      type: 'string',
      requiresArg: true,
      default: 'crossbill',
      describe: 'name of the note; a repository with several projects gives each its own',
    },
  },
  examples: [['ci plan', 'in a job of a pull request, make and save a plan, and write it into the note']],
  formats: ['text', 'json', 'markdown', 'html'],
  async run({ out, name }, shell) {
    const forge = await forgeOfJob(shell)
    const pull = ownPull(forge)
    const write = noteWriter(forge, pull, name, shell)
    try {
      await refuseTakenPlan(shell.pathInProject(out))
      return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
        const plan = await makePlan(context)
        await savePlan(shell.pathInProject(out), plan)
        await printPlan(plan, shell)
        const found = outputBlock('Findings of validate', await findingLines(shell))
        const body = [planMarkdown(plan), found].filter((part) => part !== '').join('\n\n')
        const lost = secretsLost(plan)
        const warned = lost === undefined ? '' : ` **ci apply will not apply it:** ${lost}. ${secretsFix}.`
        await write({ digest: plan.plan, commit: pull.head }, `Plan of ${short(pull.head)}.${warned}`, body)
        return isApplicable(plan) && lost === undefined && context.catalog.leftOut === undefined
          ? exitCodes.fine
          : exitCodes.found
      })
    } catch (error) {
      // An older plan in the note must not look like the plan of this commit.
      const state = `**There is no plan of ${short(pull.head)}.** The job ended with an error.`
      await write({ commit: pull.head }, state, outputBlock('The error', problemText(error))).catch(
        (failure: unknown) => shell.say(problemText(failure)),
      )
      throw error
    }
  },
})

/** @throws UsageError outside a pull request, and for a fork, which must never get a key */
function ownPull({ job: { pull } }: Forge): Pull {
  if (pull === undefined)
    throw new UsageError('no-pull-request', 'ci plan runs in a job of a pull request', 'See docs/ci.md.')
  if (pull.isFork)
    throw new UsageError(
      'pull-request-of-fork',
      'a pull request from a fork gets no plan, because a plan needs keys',
      'Push the branch to this repository. validate also runs for forks.',
    )
  return pull
}

type Write = (mark: PlanMark, state: string, body: string) => Promise<void>

/** Writes the one note, except when a newer commit was pushed, whose own job writes it. */
function noteWriter(forge: Forge, pull: Pull, name: string, shell: Shell): Write {
  return async (mark, state, body) => {
    if ((await forge.headOf(pull.number)) !== pull.head) {
      shell.say(`A newer commit was pushed. Its own job writes the note.`)
      return
    }
    const note = await forge.note(pull.number, planMark(name))
    await forge.writeNote(pull.number, planNote(name, mark, state, body), note?.id)
    shell.say(`The note of pull request ${pull.number} is ${note === undefined ? 'written' : 'updated'}.`)
  }
}

function isApplicable({ guards }: Plan): boolean {
  return guards.every(({ tripped }) => !tripped)
}

function short(commit: string): string {
  return `\`${commit.slice(0, 12)}\``
}
