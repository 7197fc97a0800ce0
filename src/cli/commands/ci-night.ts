import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { nightMark, outputBlock } from '../render/ci-note.ts'
import { forgeOfJob, runHere, type Ran } from '../wiring/ci.ts'

const checks = ['verify', 'drift'] as const

export const main = command({
  positionals: {},
  options: {
    name: {
      type: 'string',
      requiresArg: true,
      default: 'crossbill',
      describe: 'name of the issue; a repository with several projects gives each its own',
    },
  },
  examples: [['ci night', 'run verify and drift every night, and open, update or close the one issue']],
  formats: ['text', 'json'],
  async run({ name }, shell) {
    const forge = await forgeOfJob(shell)
    const ran: { readonly check: (typeof checks)[number]; readonly result: Ran }[] = []
    for (const check of checks) ran.push({ check, result: await runHere(shell, [check, '--format', 'markdown']) })
    const wrong = ran.filter(({ result }) => result.code !== exitCodes.fine)
    const mark = nightMark(name)
    const issue = await forge.issue(mark)
    const body = [mark, ...ran.map(({ check, result }) => sectionOf(check, result))].join('\n\n')
    if (wrong.length === 0) {
      if (issue !== undefined) await forge.closeIssue(issue.id, body)
    } else await forge.writeIssue({ title: titleOf(name, wrong), body }, issue?.id)
    if (shell.format === 'json')
      shell.json({ ok: wrong.length === 0, checks: Object.fromEntries(ran.map((one) => [one.check, one.result.code])) })
    else shell.out(body.slice(mark.length).trim())
    // An error is more than a finding: it means that a check did not run.
    return ran.some(({ result }) => result.code === exitCodes.error)
      ? exitCodes.error
      : wrong.length > 0
        ? exitCodes.found
        : exitCodes.fine
  },
})

function titleOf(name: string, wrong: readonly { readonly check: string; readonly result: Ran }[]): string {
  const said = wrong.map(({ check, result }) =>
    result.code === exitCodes.error ? `${check} could not run` : `${check} found something`,
  )
  return `${name === 'crossbill' ? 'Crossbill' : `Crossbill, ${name}`}: ${said.join(', ')}`
}

function sectionOf(check: string, { code, stdout, stderr }: Ran): string {
  if (code === exitCodes.error) return `## Crossbill ${check}: could not run\n\n${outputBlock('The error', stderr)}`
  // Two documents share one issue, each with its own limit.
  return stdout.trim().slice(0, longestSection)
}

const longestSection = 30_000
