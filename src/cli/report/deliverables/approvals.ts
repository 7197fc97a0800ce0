import { plural, shortDigest } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import { openResources, peopleIn, wavesOf, type Evidence, type Wave } from '../evidence.ts'
import { waveName } from '../rehearsal-words.ts'
import { decisionHeads, decisions, openFindings } from './decisions.ts'
import { code, day, span } from './words.ts'

/** Who decides what by when: what is open, what was approved, and what the YAML decides. */
export function approvals(evidence: Evidence): Document {
  const open = decisions(evidence)
  return {
    slug: 'decisions',
    title: 'Decisions and approvals',
    intro:
      'Crossbill stores no names: the columns for name and date are filled in by hand, or by the approval of the pull request that changed the YAML. Everything else is read from the accounts.',
    sections: [
      {
        heading: `Open decisions (${open.length})`,
        ...(open.length === 0 ? { text: 'Nothing is open.' } : { table: { heads: decisionHeads, rows: open } }),
      },
      approvalsSection(evidence),
      written(evidence),
      byName(evidence),
    ],
  }
}

function approvalsSection(evidence: Evidence): Section {
  const open = openResources(evidence.plan)
  const uncopied = peopleIn(evidence, 'uncopied')
  const { doors } = openFindings(evidence)
  const step = (what: string, who: string, byWhen: string, state: string): readonly string[] => [
    what,
    who,
    byWhen,
    state,
    '',
    '',
  ]
  return {
    heading: 'Approvals',
    text: 'Each step needs the word of the person in the second column before it is done. A step that is done shows when, and the plans that did it.',
    table: {
      heads: ['step', 'who approves', 'by when', 'state', 'name', 'date'],
      rows: [
        step(
          'the catalog in the new account',
          'billing engineer',
          'before the first wave',
          open === 0 ? 'done' : `${plural(open, 'change')} to apply`,
        ),
        step(
          'Stripe’s copy of customers and cards',
          'owner',
          'before the first wave',
          uncopied === 0 ? 'done' : `${plural(uncopied, 'subscriber waits', 'subscribers wait')} for it`,
        ),
        step(
          'the doors of the old accounts are closed',
          'owner',
          'before the first wave',
          doors.length === 0 ? 'done' : `${plural(doors.length, 'door is', 'doors are')} open`,
        ),
        ...wavesOf(evidence).flatMap((wave) => [move(wave, step), settle(wave, evidence, step)]),
      ],
    },
  }
}

type Step = (what: string, who: string, byWhen: string, state: string) => readonly string[]

function move({ file, people, excluded, renewals, moved }: Wave, step: Step): readonly string[] {
  const toMove = people.source - excluded
  const done = people.moved + people.settled === 0 ? '' : `${people.moved + people.settled} moved, ${span(moved)}`
  const [first] = renewals
  return step(
    `move ${waveName(file)}`,
    'owner',
    toMove === 0 ? '–' : first === undefined ? 'before its renewals' : `before ${day(first)}, the next renewal there`,
    toMove === 0
      ? done === ''
        ? 'nobody to move'
        : `done: ${done}`
      : `${toMove} open${done === '' ? '' : `; ${done}`}`,
  )
}

function settle({ file, people, excluded, settled, plans }: Wave, evidence: Evidence, step: Step): readonly string[] {
  const members = evidence.catalog.subscribers.filter((one) => one.file === file)
  const waits = members.flatMap(({ key }) => evidence.dates.get(key)?.settle ?? [])
  const later = waits.flatMap((one) => (one.possible === 'later' ? [one.from] : [])).sort()
  const ready = waits.filter(({ possible }) => possible === 'now').length
  const open = people.source - excluded + people.moved
  const by =
    plans.length === 0 ? '' : `, by ${plural(plans.length, 'plan')}: ${plans.map(shortDigest).map(code).join(' ')}`
  const done = people.settled === 0 ? '' : `${people.settled} settled, ${span(settled)}${by}`
  const when = [
    ...(ready === 0 ? [] : [`${ready} possible now`]),
    ...(later.length === 0 ? [] : [`${later.length} from ${span(later)} at the latest`]),
  ].join('; ')
  return step(
    `settle ${waveName(file)}; cannot be undone`,
    'owner',
    open === 0 ? '–' : when === '' ? 'after their first paid renewal in the new account' : when,
    open === 0 ? (done === '' ? 'nobody to settle' : `done: ${done}`) : `${open} open${done === '' ? '' : `; ${done}`}`,
  )
}

/** The policies in force: decisions that were made once for everybody. */
function written({ catalog: { project } }: Evidence): Section {
  const rows = [
    ...Object.entries(project.policies).map(([name, value]) => ['policies', name, value] as const),
    ...Object.entries(project.guards).map(([name, value]) => ['guards', name, value] as const),
  ]
  return {
    heading: 'Decided for everybody, in catalog/project.yaml',
    text: 'Who wrote each line, and who approved it, is in the history of the repository: `git log -p catalog/project.yaml`.',
    table: {
      heads: ['part', 'name', 'value'],
      rows: rows.map(([part, name, value]) => [part, code(name), valueText(value)]),
    },
  }
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Array.isArray(value)
    ? value.map(String)
    : Object.entries(value).map(([key, one]) => `${key}: ${String(one)}`)
  return entries.length === 0 ? 'none' : entries.join('; ')
}

/** What entries decide for one subscriber. */
function byName({ catalog: { subscribers } }: Evidence): Section {
  const rows = subscribers.flatMap(({ key, file, excluded, override = [], pays_twice: twice }) => [
    ...(excluded === undefined ? [] : [[code(key), 'stays in the old account', excluded, code(`catalog/${file}`)]]),
    ...(twice === undefined ? [] : [[code(key), 'pays twice on purpose', twice, code(`catalog/${file}`)]]),
    ...override.map((one) => [code(key), 'confirmed by name', code(one), code(`catalog/${file}`)]),
  ])
  return {
    heading: `Decided for one subscriber (${rows.length})`,
    ...(rows.length === 0
      ? { text: 'No entry excludes a subscriber or confirms a difference.' }
      : { table: { heads: ['subscriber', 'decision', 'reason', 'where'], rows } }),
  }
}
