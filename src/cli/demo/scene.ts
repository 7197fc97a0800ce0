import { CommandError } from '../../core/outcome.ts'
import type { VerifyResult, Violation } from '../../engine/verify/verify.ts'
import type { School } from './school.ts'
import type { Teller } from './teller.ts'

export interface Showing {
  /** Lines of output that are shown. */
  readonly lines?: number
  /** Exit codes that fit the story; 0 when absent. */
  readonly codes?: readonly number[]
}

/** Where the story plays: commands run in the school's project, shown as they are. */
export interface Scene {
  readonly school: School
  readonly teller: Teller
  readonly shown: (words: readonly string[], showing?: Showing) => Promise<void>
  /**
   * The standing check. What it found before the first move is shown once; anything else ends the
   * story.
   */
  readonly verified: (told: boolean) => Promise<VerifyResult>
}

/** Present before the migration, which neither causes nor repairs them. */
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
          teller.say('This was so before the migration: a question for the school, not for the migration.')
      }
      const unexpected = result.violations.filter((violation) => known?.has(name(violation)) !== true)
      if (unexpected.length === 0) return result
      throw new CommandError('demo_stopped', `"crossbill verify" found violations:\n${text.stdout}`, {
        notDone: 'the story stops here',
        fix: `Look around in ${dir}: crossbill plan, crossbill verify.`,
      })
    },
  }
}

function name({ code, subscriber }: Violation): string {
  return `${code} ${subscriber}`
}
