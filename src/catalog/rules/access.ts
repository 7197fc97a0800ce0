import { accessProblems } from '../schemas/access.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import { type Draft } from '../draft.ts'
import { error, warning } from '../rule-names.ts'
import { keysByKind } from './references.ts'

/**
 * Offers name prices of this catalog, a cancel tag requests one cancellation, and an expiring offer
 * cannot count as a cancel.
 */
export function accessTerms(draft: Draft): readonly Diagnostic[] {
  const file = draft.files.get('access.yaml')
  const { access } = draft
  if (file === undefined || access === undefined) return []
  const prices = keysByKind(draft).get('price') ?? new Set<string>()
  const unknown = Object.entries(access.offers).flatMap(([offer, { prices: named }]) =>
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
  const named = new Set([
    ...Object.values(access.offers).flatMap(({ prices: given }) => given),
    ...(access.without_offer ?? []),
  ])
  const strays = (access.without_offer ?? []).flatMap((price, index) => {
    if (prices.has(price)) return []
    const meant = suggest(price, prices)
    const fix = meant === undefined ? 'name a key of prices: in this catalog' : `did you mean ${meant}?`
    const message = `without_offer names the price ${price}, which this catalog does not have`
    return [error('unknown-reference', message, fix, file.locate(['without_offer', index]))]
  })
  const paid = new Set(
    draft.subscribers
      .filter(({ excluded }) => excluded === undefined)
      .flatMap(({ items }) => items.map(({ price }) => price)),
  )
  const forgotten = [...paid].toSorted().flatMap((price) => {
    if (named.has(price) || named.size === 0 || !prices.has(price)) return []
    const message = `subscribers pay the price ${price}, but no offer of access.yaml names it; they get no access`
    const fix = `add ${price} under an offer, or under without_offer: if it gives no access on purpose`
    return [warning('price-without-offer', message, fix, file.locate(['offers'], 'key'))]
  })
  const terms = accessProblems(access).map(({ rule, message, fix, path }) =>
    error(rule, message, fix, file.locate(path)),
  )
  return [...unknown, ...strays, ...forgotten, ...terms]
}
