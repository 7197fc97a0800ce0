import { codesSlug, type Document } from '../document.ts'
import type { Evidence } from '../evidence.ts'
import { codeEntry } from '../said.ts'

/** The codes that stand on the other pages, each with its meaning and what helps. */
export function codes({ way, verified, plan, rehearsals, dates }: Evidence): Document {
  const used = new Set([
    ...way.rows.flatMap((row) => row.code ?? []),
    ...[...plan.blocked, ...plan.deferred].map((one) => one.code),
    ...verified.violations.map((one) => one.code),
    ...[...dates.values()].flatMap(({ back, settle }) =>
      [back, settle].flatMap((one) => (one === undefined || one.possible === 'now' ? [] : [one.code])),
    ),
    ...rehearsals.flatMap(({ standing }) => standing.map((one) => one.code)),
  ])
  const rows = [...used].sort().flatMap((code) => {
    const entry = codeEntry(code)
    return entry === undefined ? [] : [[`\`${code}\``, entry.meaning, entry.fix]]
  })
  return {
    slug: codesSlug,
    title: 'Codes',
    intro:
      'Crossbill names every reason by a code, the same in the commands, in CI and here. These are on the pages of this report.',
    sections: [{ heading: `On these pages (${rows.length})`, table: { heads: ['code', 'means', 'what helps'], rows } }],
  }
}
