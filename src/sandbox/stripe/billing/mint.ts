import type { Context } from '../../kernel/context.ts'

/** Creates ids. A preview creates its own, which are not stored. */
export interface Mint {
  readonly preview: boolean
  readonly id: (prefix: string) => string
}

export function realMint(context: Context): Mint {
  return { preview: false, id: (prefix) => context.newId(prefix) }
}

/**
 * Ids for objects that exist only while a preview is computed; `used` lists them for the removal.
 */
export function previewMint(): Mint & { readonly used: readonly string[] } {
  const used: string[] = []
  return {
    preview: true,
    used,
    id(prefix) {
      const id = `${prefix}_preview_${used.length + 1}`
      used.push(id)
      return id
    },
  }
}
