import { placeOf } from '../catalog/file-kinds.ts'
import type { Catalog } from '../catalog/types.ts'
import { placeInCatalog, type Diagnostic } from '../core/diagnostic.ts'
import type { Blocked } from './types.ts'

type InvalidEntry = Blocked & { readonly code: 'entry_invalid' }

/**
 * Everything that the catalog leaves out, as blocked entries, so that a plan or a check reports
 * what it does not cover.
 */
export function leftOutBlocked({ leftOut }: Pick<Catalog, 'leftOut'>): readonly InvalidEntry[] {
  const entries = (leftOut?.entries ?? []).flatMap(({ address, findings }) => invalid(address, findings))
  const files = [...(leftOut?.files ?? [])].flatMap(([path, findings]) =>
    invalid(`catalog/${path}`, findings, unknownIn(path)),
  )
  return [...entries, ...files]
}

function unknownIn(path: string): string {
  const place = placeOf(path)
  if (place === undefined) return '; nothing that it may declare is retired or moved until it is in its place'
  return place.kind === 'access' ? '; no access is granted or revoked until it is corrected' : ''
}

function invalid(address: string, [first, ...others]: readonly Diagnostic[], result = ''): readonly InvalidEntry[] {
  if (first === undefined) return []
  const { message, fix, at } = first
  const place = at === undefined ? '' : ` (${placeInCatalog(at)})`
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return [{ address, code: 'entry_invalid', message: `${message}${place}${more}${result}`, fix }]
}
