import { oldDoors } from '../../../engine/read/old-doors.ts'
import type { DoctorFinding } from '../../../engine/finding.ts'
import { monthly, wayWords } from '../../render/way-text.ts'
import { plural } from '../../render/words.ts'
import { peopleIn, placesOf, renewalsOf, type Evidence } from '../evidence.ts'
import { said } from '../said.ts'
import { roleFor } from './who.ts'
import { code, day } from './words.ts'

const doorChecks: ReadonlySet<string> = new Set(oldDoors)
/** Checks of `doctor` that only the owner of an account can settle. */
const ownersChecks: ReadonlySet<string> = new Set(['charges_enabled', 'stripe_tax_inactive', 'tax_registrations'])

export interface Open {
  /** Ways to subscribe, change or cancel in an old account. */
  readonly doors: readonly DoctorFinding[]
  /** Everything else that `doctor` wants a look at. */
  readonly others: readonly DoctorFinding[]
}

/** What `doctor` found, without what the pages already say of the first copy. */
export function openFindings(evidence: Evidence): Open {
  const copyAsked = peopleIn(evidence, 'uncopied') > 0
  const open = evidence.doctor.findings.filter(
    ({ status, check }) => status !== 'ok' && !(copyAsked && check === 'copy_map_missing'),
  )
  return {
    doors: open.filter(({ check }) => doorChecks.has(check)),
    others: open.filter(({ check }) => !doorChecks.has(check)),
  }
}

export function findingText({ account, check, message, fix }: DoctorFinding): string {
  return `${account === undefined ? '' : `${account}: `}${message}. ${fix} ${code(check)}`
}

export const decisionHeads = ['decision', 'who', 'people', 'a month', 'by when']

/** One row for each decision: what, who, how many people, how much money, and by when. */
export function decisions(evidence: Evidence): readonly (readonly string[])[] {
  const { way, catalog, at } = evidence
  const byKey = new Map(catalog.subscribers.map((one) => [one.key as string, one]))
  const needed = way.rows
    .filter(({ state }) => state === 'needs' || state === 'asked' || state === 'uncopied')
    .toSorted((a, b) => b.people - a.people)
    .map((row) => {
      const [first] = renewalsOf(
        row.subscribers.flatMap((key) => byKey.get(key) ?? []),
        at,
      )
      const words = row.code === undefined || row.state === 'uncopied' ? sentence(wayWords[row.state]) : said(row.code)
      return [
        `${words}${row.note === undefined ? '' : `: ${row.note}`}`,
        roleFor(row.code ?? ''),
        plural(row.people, 'person', 'people'),
        monthly(row),
        row.state === 'uncopied'
          ? 'before the first wave; Stripe needs some days'
          : first === undefined
            ? 'before their wave'
            : `before ${day(first)}, to move before that renewal`,
      ]
    })
  const { doors, others } = openFindings(evidence)
  const begun = [...placesOf(evidence).values()].some((place) => place === 'moved' || place === 'settled')
  const byWhen = begun ? 'now, because people have moved' : 'before the first wave'
  return [
    ...needed,
    ...doors.map((one) => [findingText(one), 'owner', '–', '', byWhen]),
    ...others.map((one) => [
      findingText(one),
      ownersChecks.has(one.check) ? 'owner' : 'billing engineer',
      '–',
      '',
      byWhen,
    ]),
  ]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
