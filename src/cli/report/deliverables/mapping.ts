import { type JsonObject, objectIn, textIn } from '../../../core/json.ts'
import { groupBy, money, plural } from '../../render/words.ts'
import type { Document } from '../document.ts'
import type { Evidence } from '../evidence.ts'
import { code } from './words.ts'

/** Each old id with its new one; prices side by side with what they cost. */
export function mapping(evidence: Evidence): Document {
  const { identities, catalog } = evidence
  const kinds = [...groupBy(identities, (one) => one.kind)].sort(([a], [b]) => (a < b ? -1 : 1))
  const written = [...catalog.mappings].flatMap(([source, sections]) =>
    Object.entries(sections).flatMap(([section, ids]) =>
      Object.entries(ids as Record<string, string>).map(([id, key]) => [source, section, code(id), code(key)]),
    ),
  )
  const prices = pricesSideBySide(evidence)
  const differ = prices.filter((row) => row.at(-1) !== 'the same').length
  return {
    slug: 'mapping',
    title: 'Old and new ids',
    intro: 'Each old id with its new id. `crossbill state export --format csv` prints the same as CSV.',
    sections: [
      {
        heading: `Prices side by side (${prices.length})`,
        text:
          prices.length === 0
            ? 'No live subscription of an old account has a price any more. The ids of all prices are below.'
            : `The old price as live subscriptions use it, and the price of the catalog that replaces it. ${differ === 0 ? 'All of them are the same.' : `${plural(differ, 'row needs', 'rows need')} a look.`}`,
        table: {
          heads: ['account', 'old price', 'costs', 'tax', 'people', 'new price', 'costs there', 'tax there', 'check'],
          rows: prices,
        },
      },
      ...kinds.map(([kind, members]) => ({
        heading: `${kind} (${members.length})`,
        table: {
          heads: ['account', 'old id', 'in the catalog', 'new id'],
          rows: members.map((one) => [
            orDash(one.source),
            codeOrDash(one.old_id),
            codeOrDash(one.address),
            code(one.new_id),
          ]),
        },
      })),
      {
        heading: `Mappings in the catalog (${written.length})`,
        table: { heads: ['account', 'kind', 'old id', 'key'], rows: written },
      },
    ],
  }
}

/** What exists only in the new account has no old id; a customer is in no catalog. */
function codeOrDash(id: string): string {
  return id === '' ? '–' : code(id)
}

function orDash(text: string): string {
  return text === '' ? '–' : text
}

function pricesSideBySide({ oldPrices, catalog }: Evidence): readonly (readonly string[])[] {
  const values = new Map(catalog.resources.map(({ address, value }) => [address, value]))
  return oldPrices.map(({ source, id, amount, currency, interval, tax, people }) => {
    const keys = catalog.mappings.get(source)?.prices as Readonly<Record<string, string>> | undefined
    const key = keys?.[id]
    const value = key === undefined ? undefined : values.get(`price.${key}`)
    const old = [costs(amount, currency, interval), tax]
    if (key === undefined || value === undefined)
      return [source, code(id), ...old, String(people), '–', '–', '–', 'not mapped']
    const now = newTerms(value)
    const same = old[0] === now[0] && (tax === now[1] || tax === 'unspecified' || now[1] === 'unspecified')
    return [source, code(id), ...old, String(people), code(key), ...now, same ? 'the same' : 'differs']
  })
}

function newTerms(value: JsonObject): readonly [costs: string, tax: string] {
  const { unit_amount: amount, currency, recurring, tax_behavior: tax } = value
  const every = objectIn(recurring)
  return [
    costs(typeof amount === 'number' ? amount : null, textIn(currency), intervalOf(every)),
    typeof tax === 'string' ? tax : 'unspecified',
  ]
}

/** `month`, `3 months` */
export function intervalOf(recurring: { readonly [name: string]: unknown }): string {
  const { interval = '', interval_count: count = 1 } = recurring
  return count === 1 ? String(interval) : `${String(count)} ${String(interval)}s`
}

function costs(amount: number | null, currency: string, interval: string): string {
  const each = interval === '' ? '' : ` every ${interval}`
  return `${amount === null ? `tiers in ${currency}` : money(amount, currency)}${each}`
}
