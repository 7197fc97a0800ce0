/**
 * The floors, lowest first: a folder imports itself and folders of lower rows, types included. Folders of one row do
 * not know one another. The sandbox judges the product, so it shares nothing with it but words of the core.
 */
export const order: readonly (readonly string[])[] = [
  ['core'],
  ['kinds', 'billing'],
  ['live'],
  ['catalog'],
  ['handover'],
  ['plan'],
  ['access', 'cancel'],
  ['pull'],
  ['engine'],
  ['stripe', 'kajabi', 'store', 'files', 'server', 'alerts', 'sandbox'],
  ['cli'],
  ['bin'],
]

export const floors: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  order.flatMap((row, at) => row.map((folder) => [folder, folder === 'sandbox' ? [] : order.slice(0, at).flat()])),
)

/** What the sandbox may use of the core: no money, no calendar. */
const sandboxMayUse = ['assert', 'json', 'instant', 'suggest'].map((name) => `src/core/${name}.ts`)

export function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

/** Why an import is not allowed; undefined when it is. */
export function forbidden(from: string, to: string): string | undefined {
  const [here, there] = [folderOf(from), folderOf(to)]
  // The version stands in package.json alone.
  if (to === 'package.json' && here === 'cli') return undefined
  if (here === undefined || there === undefined) return `${from} imports ${to}, which is outside src`
  if (here === there || (here === 'sandbox' && sandboxMayUse.includes(to))) return undefined
  const allowed = floors[here]
  if (allowed === undefined) return `${from} stands in a folder without a floor`
  return allowed.includes(there) ? undefined : `${from} (${here}) may not import ${to} (${there})`
}
