import { suggest } from '../../core/suggest.ts'
import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { outsideOf } from '../../kinds/outside.ts'
import { kindNamed, kinds } from '../../kinds/registry.ts'
import type { DesiredDiscount, DesiredSubscriber } from '../types.ts'
import { type Draft, placeIn, placeOfSubscriber } from '../draft.ts'
import { error } from '../rule-names.ts'
import type { Path } from '../yaml-places.ts'

type Keys = ReadonlyMap<string, ReadonlySet<string>>

/** A reference to a key that is not declared. */
export interface MissingReference {
  readonly kind: string
  readonly key: string
  readonly at: Position
}

/** Every referenced key must exist in its section. */
export function* unknownReferences(draft: Draft): Iterable<Diagnostic> {
  const keys = keysByKind(draft)
  for (const { kind, key, at } of missingReferences(draft)) yield unknown(kind, key, keys, at)
}

export function* missingReferences(draft: Draft): Iterable<MissingReference> {
  const keys = keysByKind(draft)
  yield* ofResources(draft, keys)
  yield* ofMappings(draft, keys)
  for (const one of draft.subscribers) yield* ofSubscriber(draft, one, keys)
}

/** Prices that access.yaml names and no file declares. */
export function pricesMissingInAccess(draft: Draft): readonly string[] {
  const prices = keysByKind(draft).get('price') ?? new Set<string>()
  const { offers, without_offer: without = [] } = draft.access ?? { offers: {} }
  const named = [...Object.values(offers).flatMap((offer) => offer.prices), ...without]
  return [...new Set(named)].filter((key) => !prices.has(key))
}

/**
 * Keys by kind, including keys of entries that are left out, because these are declared as well.
 */
export function keysByKind(draft: Pick<Draft, 'resources' | 'leftOut'>): Keys {
  const keys = new Map<string, Set<string>>(kinds.map((kind) => [kind.name, new Set()]))
  for (const resource of draft.resources) keys.get(resource.kind)?.add(resource.key)
  for (const { kind, key } of draft.leftOut) keys.get(kind)?.add(key)
  return keys
}

function ofResources(draft: Draft, keys: Keys): readonly MissingReference[] {
  return draft.resources.flatMap((resource) =>
    resource.of
      .uses(resource.value)
      .filter((use) => outsideOf(use.key) === undefined && keys.get(use.kind)?.has(use.key) !== true)
      .map(({ kind, key, path }) => ({ kind, key, at: placeIn(resource, path) })),
  )
}

function ofMappings(draft: Draft, keys: Keys): readonly MissingReference[] {
  return draft.mappings.flatMap((mapping) => {
    const kind = kinds.find((one) => one.section === mapping.section)
    if (kind === undefined || keys.get(kind.name)?.has(mapping.key) === true) return []
    return [{ kind: kind.name, key: mapping.key, at: mapping.file.locate([mapping.section, mapping.id]) }]
  })
}

function ofSubscriber(draft: Draft, subscriber: DesiredSubscriber, keys: Keys): readonly MissingReference[] {
  const found: MissingReference[] = []
  const check = (kind: string, key: string, path: Path): void => {
    if (keys.get(kind)?.has(key) !== true) found.push({ kind, key, at: placeOfSubscriber(draft, subscriber, path) })
  }
  const discounts = (list: readonly DesiredDiscount[], path: Path): void => {
    for (const [index, one] of list.entries()) check('coupon', one.coupon, [...path, 'discounts', index, 'coupon'])
  }
  const rates = (list: readonly string[], path: Path): void => {
    for (const [index, one] of list.entries()) check('tax_rate', one, [...path, 'tax_rates', index])
  }
  for (const [index, item] of subscriber.items.entries()) {
    const path = ['items', index]
    check('price', item.price, [...path, 'price'])
    rates(item.tax_rates ?? [], path)
    discounts(item.discounts ?? [], path)
  }
  discounts(subscriber.discounts, [])
  rates(subscriber.tax_rates, [])
  return found
}

function unknown(kind: string, key: string, keys: Keys, at: Position): Diagnostic {
  const section = kindNamed(kind)?.section ?? kind
  const near = suggest(key, keys.get(kind) ?? [])
  const fix = near === undefined ? `add it to \`${section}:\`, or use an existing key` : `did you mean "${near}"?`
  return error('unknown-reference', `there is no "${key}" in \`${section}:\``, fix, at)
}
