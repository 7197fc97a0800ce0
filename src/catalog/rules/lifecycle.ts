import { address as addressOf, splitAddress } from '../../core/address.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import { kindNamed, kinds } from '../../kinds/registry.ts'
import { type Draft, placeIn } from '../draft.ts'
import { newAddress } from '../new-address.ts'
import { error } from '../rule-names.ts'

/**
 * Lifecycle keys of an entry that contradict each other. An entry that uses a retiring one
 * contradicts it: both ends have the error, so that neither half is planned.
 */
export function lifecycleTerms(draft: Draft): readonly Diagnostic[] {
  const retiring = new Set(draft.resources.filter((one) => one.lifecycle?.retire === true).map((one) => one.address))
  const users = usersIn(draft)
  return draft.resources.flatMap((resource) => {
    const { lifecycle, of, address } = resource
    const found: Diagnostic[] = []
    if (lifecycle?.retire === true && (lifecycle.protect === true || lifecycle.observe))
      found.push(
        error(
          'lifecycle',
          `${address} has both retire and ${lifecycle.protect === true ? 'protect' : 'observe'}`,
          'keep one of the two keys',
          placeIn(resource, ['retire'], 'key'),
        ),
      )
    const user = users.get(address)
    if (lifecycle?.retire === true && user !== undefined)
      found.push(
        error(
          'lifecycle',
          `${address} has retire: true, but ${user} uses it`,
          `retire ${user} too, or let it refer to another one`,
          placeIn(resource, ['retire'], 'key'),
        ),
      )
    const names = Object.keys(of.fields)
    for (const [index, path] of (lifecycle?.ignored ?? []).entries()) {
      const name = path.split('.')[0] ?? ''
      if (names.includes(name)) continue
      const near = suggest(name, names)
      const fix = near === undefined ? `fields: ${names.join(', ')}` : `did you mean "${near}"?`
      found.push(
        error('lifecycle', `${of.name} has no field "${name}"`, fix, placeIn(resource, ['ignore_fields', index])),
      )
    }
    if (!retiring.has(address))
      for (const use of of.uses(resource.value))
        if (retiring.has(`${use.kind}.${use.key}`))
          found.push(
            error(
              'lifecycle',
              `${address} uses ${use.kind}.${use.key}, which has retire: true`,
              'refer to another one, or retire both',
              placeIn(resource, use.path),
            ),
          )
    return found
  })
}

/** By the address of an object: an entry that stays in use and refers to it. */
function usersIn(draft: Draft): ReadonlyMap<string, string> {
  const staying = draft.resources.filter(({ lifecycle }) => lifecycle?.retire !== true)
  return new Map(
    staying.flatMap(({ address, of, value }) =>
      of.uses(value).map(({ kind, key }) => [addressOf(kind, key) as string, address] as const),
    ),
  )
}

/**
 * A removed or moved address must have no entry. The new address of a move must have an entry of
 * the same kind. An entry that is left out because of an error is still an entry.
 */
export function changeBlocks(draft: Draft): readonly Diagnostic[] {
  const entries = [...draft.resources, ...draft.leftOut].map(({ kind, key }) => addressOf(kind, key))
  const declared = new Set<string>(entries)
  const found: Diagnostic[] = []
  const users = usersIn(draft)
  for (const { address, what, file, path } of draft.removed) {
    const user = what === 'retire' ? users.get(address) : undefined
    if (user !== undefined)
      found.push(
        error(
          'lifecycle',
          `${address} is under removed:, but ${user} uses it`,
          `remove ${user} too, or let it refer to another one`,
          file.locate(path, 'key'),
        ),
      )
    const wrong = wrongKind('removed', address)
    if (wrong !== undefined) found.push(error('lifecycle', wrong.message, wrong.fix, file.locate(path, 'key')))
    if (declared.has(address))
      found.push(
        error(
          'lifecycle',
          `${address} is under removed: but still has an entry`,
          'delete the line under removed:, or delete the entry',
          file.locate(path, 'key'),
        ),
      )
  }
  const targets = new Map(draft.moved.map(({ from, to }) => [from, to]))
  const firsts = new Map(draft.moved.toReversed().map(({ from, to }) => [to, from]))
  for (const { from, to, file } of draft.moved) {
    const kind = (address: string): string => address.split('.')[0] ?? ''
    const refuse = (message: string, fix: string): unknown =>
      found.push(error('lifecycle', message, fix, file.locate(['moved', from])))
    const wrong = wrongKind('moved', from)
    if (wrong !== undefined) refuse(wrong.message, wrong.fix)
    else if (declared.has(from)) refuse(`${from} is moved but still has an entry`, 'delete the old entry')
    else if (kind(from) !== kind(to)) refuse(`${from} cannot move to ${to}`, 'an object cannot change its kind')
    else if (targets.get(from) !== to)
      refuse(`${from} is moved to ${to} and to ${targets.get(from) ?? ''}`, 'keep one of the two lines')
    else if (firsts.get(to) !== from)
      refuse(
        `${firsts.get(to) ?? ''} and ${from} are both moved to ${to}`,
        'an entry has one object: keep one of the two lines',
      )
    else if (!declared.has(newAddress(from, targets)))
      refuse(`${from} is moved to ${to}, which has no entry`, 'name an entry of the catalog')
  }
  return found
}

function wrongKind(
  word: 'moved' | 'removed',
  address: string,
): { readonly message: string; readonly fix: string } | undefined {
  const { kind, key } = splitAddress(address)
  if (kindNamed(kind) !== undefined) return undefined
  const names = kinds.map(({ name }) => name)
  const near = suggest(kind, names)
  return {
    message: `${word}: names ${address}, and there is no kind "${kind}"`,
    fix: near === undefined ? `kinds: ${names.join(', ')}` : `did you mean "${near}.${key}"?`,
  }
}
