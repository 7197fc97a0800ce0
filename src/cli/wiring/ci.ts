import { setTimeout as sleep } from 'node:timers/promises'
import { formatDiagnostic } from '../../core/diagnostic.ts'
import type { Forge } from '../../forge/forge.ts'
import { openForge } from '../../forge/open.ts'
import type { Shell } from '../shell.ts'
import type { Surroundings } from '../surroundings.ts'
import { UsageError } from '../usage-error.ts'
import { checkCatalog } from './catalog.ts'

/** The forge whose CI runs this program. @throws UsageError outside CI */
export async function forgeOfJob(shell: Shell): Promise<Forge> {
  const forge = await openForge(shell.surroundings.env, async (seconds) => await sleep(seconds * 1_000))
  if (forge !== undefined) return forge
  throw new UsageError(
    'not-in-ci',
    'this command runs only in a job of GitHub Actions or GitLab CI',
    'Write the workflow with: crossbill init --ci github',
  )
}

/** The output and the exit code of another command of this program. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs another command line on the same project. With `shown`, its output is also this command's
 * output.
 */
export async function runHere(
  shell: Shell,
  words: readonly string[],
  { shown = false }: { readonly shown?: boolean } = {},
): Promise<Ran> {
  let [stdout, stderr] = ['', '']
  const { surroundings } = shell
  const inner: Surroundings = {
    ...surroundings,
    stdout: {
      write: (text) => {
        stdout += text
        if (shown) surroundings.stdout.write(text)
      },
    },
    stderr: {
      write: (text) => {
        stderr += text
        surroundings.stderr.write(text)
      },
    },
  }
  const code = await shell.run([...words, '--project', shell.project, '--no-color'], inner)
  return { code, stdout, stderr }
}

/** The findings of `validate`, for a note; empty without findings. */
export async function findingLines(shell: Shell): Promise<string> {
  const { findings } = await checkCatalog(shell, 'strict', { lints: true })
  return findings.map(formatDiagnostic).join('\n')
}
