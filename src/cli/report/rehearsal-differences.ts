import type { RehearsalDifference, RehearsalReport } from '../../engine/rehearse/report.ts'
import { html, raw, type Html } from '../../core/html.ts'
import { folded, table } from './page.ts'
import { withCommas, moment } from './rehearsal-words.ts'

/** The kinds of difference, worst first. */
const words: Readonly<Record<RehearsalDifference['code'], string>> = {
  two_payers: 'Two payers at once',
  double: 'Charged twice, or charged when nothing was due',
  missed: 'Not charged',
  amount_differs: 'Different amount',
  date_differs: 'Different date',
  not_moved: 'Could not be moved',
}

/** Longer lists are folded. */
const openRows = 12
/** The page shows this many examples of a cause; the JSON has all of them. */
const shownRows = 200

/**
 * The differences by effect and cause, because two hundred subscribers with one cause need one
 * action. Each subscriber has one line, however many charges differ.
 */
export function differences({ differences: all }: RehearsalReport): Html {
  if (all.length === 0)
    return html`<h2>Differences</h2>
      <p>None.</p>`
  const codes = Object.keys(words) as RehearsalDifference['code'][]
  return html`<h2>Differences</h2>
    ${codes.flatMap((code) => {
      const ofCode = all.filter((one) => one.code === code)
      return [...Map.groupBy(ofCode, ({ cause }) => cause).values()]
        .toSorted((a, b) => b.length - a.length)
        .map((group) => difference(words[code], group))
    })}`
}

interface Person {
  readonly first: RehearsalDifference
  readonly count: number
}

function difference(what: string, group: readonly RehearsalDifference[]): Html {
  const people: readonly Person[] = [...Map.groupBy(group, ({ subscriber }) => subscriber).values()].flatMap(
    ([first, ...more]) => (first === undefined ? [] : [{ first, count: more.length + 1 }]),
  )
  const [any] = people
  const members = people.length === 1 ? 'one subscriber' : `${withCommas(people.length)} subscribers`
  const times = group.length === people.length ? '' : `, ${withCommas(group.length)} charges`
  const rest = people.length - shownRows
  const evidence = people.some(({ first }) => first.evidence !== undefined)
  return folded(
    html`${what}: ${members}${times}`,
    html`<p><strong>Why:</strong> ${any?.first.cause ?? ''}</p>
      <p><strong>What to do:</strong> ${any?.first.remedy ?? ''}</p>
      ${table<Person>(
        what,
        [
          { title: 'subscriber', cell: ({ first }) => html`<code>${first.subscriber}</code>` },
          { title: 'first at', cell: ({ first }) => moment(first.at) },
          ...(times === '' ? [] : [{ title: 'times', number: true as const, cell: ({ count }: Person) => count }]),
          { title: 'what happened', cell: ({ first }) => first.detail },
          ...(evidence ? [{ title: 'evidence', cell: ({ first }: Person) => first.evidence ?? '' }] : []),
        ],
        people.slice(0, shownRows),
      )}
      ${rest > 0 ? html`<p class="soft">… and ${withCommas(rest)} more. <code>crossbill rehearse --format json</code> lists all.</p>` : raw('')}`,
    people.length <= openRows,
  )
}
