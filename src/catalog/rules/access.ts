import { accessProblems, type Access } from '../schemas/access.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import { type Draft } from '../draft.ts'
import { error } from '../rule-names.ts'
import { keysByKind } from './references.ts'

/** Offers name prices of this catalog, a cancel tag means one offer, and what looks like a cancel is never taken for one. */
export function accessTerms(draft: Draft): readonly Diagnostic[] {
  const file = draft.files.get('access.yaml')
  if (file === undefined) return []
  const access = draft.access as Access
  const prices = keysByKind(draft).get('price') ?? new Set<string>()
  const unknown = Object.entries(access.offers ?? {}).flatMap(([offer, { prices: named }]) =>
    named.flatMap((price, index) => {
      if (prices.has(price)) return []
      const meant = suggest(price, prices)
      const fix = meant === undefined ? 'name a key of prices: in this catalog' : `did you mean ${meant}?`
      const at = file.locate(['offers', offer, 'prices', index])
      return [
        error(
          'unknown-reference',
          `offer ${offer} names the price ${price}, which this catalog does not have`,
          fix,
          at,
        ),
      ]
    }),
  )
  const terms = accessProblems(access).map(({ rule, message, fix, path }) =>
    error(rule, message, fix, file.locate(path)),
  )
  return [...unknown, ...terms]
}
