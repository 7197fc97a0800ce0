import { suggest } from '../../core/suggest.ts'
import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { kindNamed, kinds } from '../../kinds/registry.ts'
import type { DesiredDiscount, DesiredSubscriber } from '../types.ts'
import { type Draft, placeIn, placeOfSubscriber } from '../draft.ts'
import { error } from '../rule-names.ts'
import type { Path } from '../yaml-places.ts'

type Keys = ReadonlyMap<string, ReadonlySet<string>>

/** Every key used anywhere must be a key of its section. */
export function* unknownReferences(draft: Draft): Iterable<Diagnostic> {
  const keys = keysByKind(draft)
  yield* ofResources(draft, keys)
  yield* ofMappings(draft, keys)
  for (const one of draft.subscribers) yield* ofSubscriber(draft, one, keys)
}

function keysByKind(draft: Draft): Keys {
  const keys = new Map<string, Set<string>>(kinds.map((kind) => [kind.name, new Set()]))
  for (const resource of draft.resources) keys.get(resource.kind)?.add(resource.key)
  return keys
}

function ofResources(draft: Draft, keys: Keys): readonly Diagnostic[] {
  return draft.resources.flatMap((resource) =>
    resource.of
      .uses(resource.value)
      .filter((use) => keys.get(use.kind)?.has(use.key) !== true)
      .map((use) => unknown(use.kind, use.key, keys, placeIn(resource, use.path))),
  )
}

function ofMappings(draft: Draft, keys: Keys): readonly Diagnostic[] {
  return draft.mappings.flatMap((mapping) => {
    const kind = kinds.find((one) => one.section === mapping.section)
    if (kind === undefined || keys.get(kind.name)?.has(mapping.key) === true) return []
    return [unknown(kind.name, mapping.key, keys, mapping.file.locate([mapping.section, mapping.id]))]
  })
}

function ofSubscriber(draft: Draft, subscriber: DesiredSubscriber, keys: Keys): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  const check = (kind: string, key: string, path: Path): void => {
    if (keys.get(kind)?.has(key) !== true)
      found.push(unknown(kind, key, keys, placeOfSubscriber(draft, subscriber, path)))
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
  const fix = near === undefined ? `add it to \`${section}:\`, or use a key that is there` : `did you mean "${near}"?`
  return error('unknown-reference', `there is no "${key}" in \`${section}:\``, fix, at)
}
