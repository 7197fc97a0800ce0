import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { blockedCodes, type CodeEntry, deferredCodes } from '../../handover/codes.ts'
import { html, raw, type Html } from '../../core/html.ts'
import { folded, table } from './page.ts'
import { withCommas, moment } from './rehearsal-words.ts'

type Standing = RehearsalReport['standing'][number]

const registry: Readonly<Record<string, CodeEntry | undefined>> = { ...deferredCodes, ...blockedCodes }
const shownRows = 200

/**
 * Subscribers whose migration is not finished after the last month, those who need a decision
 * first.
 */
export function standing({ standing: all }: RehearsalReport): Html {
  if (all.length === 0)
    return html`<h2>Subscribers who do not move</h2>
      <p>No subscriber is deferred or blocked, and no old subscription waits to be cancelled.</p>`
  const blocked = all.filter(({ outcome, moved }) => outcome === 'blocked' && !moved)
  const later = all.filter(({ outcome, moved }) => outcome === 'deferred' && !moved)
  const unfinished = all.filter(({ moved }) => moved)
  const part = (title: string, text: string, people: readonly Standing[]): Html =>
    people.length === 0
      ? raw('')
      : html`<h2>${title}: ${withCommas(people.length)}</h2>
          <p>${text}</p>
          ${groups(people)}`
  return html`${part(
    'Need a decision',
    'They are not moved. The old account continues to bill them, so no subscriber is lost. Each group says what is needed.',
    blocked,
  )}
  ${part('Move later by themselves', 'The old account continues to bill them until then. You do not have to do anything.', later)}
  ${part(
    'Moved, with the old subscription not cancelled yet',
    'The new account bills them. Their old subscription is on hold and charges nothing. It is cancelled when the reason below no longer applies.',
    unfinished,
  )}`
}

/**
 * The subscribers by code, the largest group first: two hundred with one cause need one action.
 */
function groups(people: readonly Standing[]): readonly Html[] {
  return [...Map.groupBy(people, ({ code }) => code)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([code, rows]) => {
      const [first] = rows
      const until = rows.some((row) => row.until !== undefined)
      const rest = rows.length - shownRows
      return folded(
        html`${withCommas(rows.length)} · ${registry[code]?.meaning ?? first?.message ?? ''}
          <code class="soft">${code}</code>`,
        html`<p><strong>What to do:</strong> ${first?.fix ?? ''}</p>
          ${table<Standing>(
            code,
            [
              { title: 'subscriber', cell: (row) => html`<code>${row.subscriber}</code>` },
              ...(until
                ? [{ title: 'until', cell: (row: Standing) => (row.until === undefined ? '' : moment(row.until)) }]
                : []),
              { title: 'why', cell: (row) => row.message },
            ],
            rows.slice(0, shownRows),
          )}
          ${rest > 0 ? html`<p class="soft">… and ${withCommas(rest)} more.</p>` : raw('')}`,
        false,
      )
    })
}
