import { CommandError } from '../../core/outcome.ts'
import type { VerifyResult, Violation } from '../../engine/verify/verify.ts'
import type { School } from './school.ts'
import type { Teller } from './teller.ts'

interface Showing {
  /** Number of output lines to show. */
  readonly lines?: number
  /** The expected exit codes; 0 when absent. */
  readonly codes?: readonly number[]
}

/** The demo's stage: it runs commands in the school's project and shows their output. */
export interface Scene {
  readonly school: School
  readonly teller: Teller
  readonly shown: (words: readonly string[], showing?: Showing) => Promise<void>
  /**
   * Runs `verify`. Violations from before the first move are shown once; any other violation ends
   * the demo.
   */
  readonly verified: (told: boolean) => Promise<VerifyResult>
}

/** Violations from before the migration, which neither causes nor repairs them. */
const ofTheWorld: readonly Violation['code'][] = ['same_person_pays_twice', 'external_biller']

export function openScene(school: School, teller: Teller): Scene {
  const { dir, players } = school
  let known: ReadonlySet<string> | undefined
  return {
    school,
    teller,
    async shown(words, { lines, codes } = {}) {
      const { stdout } = await players.play([...words, '--quiet'], codes)
      teller.command(words, stdout, lines)
    },
    async verified(told) {
      const [text, json] = [
        await players.play(['verify', '--quiet'], [0, 2]),
        await players.play(['verify', '--quiet', '--format', 'json'], [0, 2]),
      ]
      const result = JSON.parse(json.stdout) as VerifyResult
      if (told) teller.command(['verify'], text.stdout)
      if (known === undefined) {
        known = new Set(result.violations.filter(({ code }) => ofTheWorld.includes(code)).map(name))
        if (known.size > 0)
          teller.say(
            'These violations are older than the migration, which does not change them. The school has to decide.',
          )
      }
      const unexpected = result.violations.filter((violation) => known?.has(name(violation)) !== true)
      if (unexpected.length === 0) return result
      throw new CommandError('demo_stopped', `"crossbill verify" found violations:\n${text.stdout}`, {
        notDone: 'the demo stops here',
        fix: `Inspect ${dir} with: crossbill plan, crossbill verify.`,
      })
    },
  }
}

function name({ code, subscriber }: Violation): string {
  return `${code} ${subscriber}`
}
