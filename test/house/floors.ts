/**
 * The floors: imports point down only. A folder may import itself and what stands here for it, nothing else.
 * Adapters do not know one another; the sandbox judges the product and therefore shares nothing with it but words of the core.
 */
const pure = ['core', 'kinds', 'billing', 'catalog', 'plan', 'handover', 'access', 'cancel']
const below4 = [...pure, 'engine']

export const floors: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kinds: ['core', 'billing'],
  billing: ['core', 'kinds'],
  catalog: pure,
  plan: pure,
  handover: pure,
  access: pure,
  cancel: pure,
  engine: pure,
  stripe: below4,
  kajabi: below4,
  store: below4,
  files: below4,
  server: below4,
  alerts: below4,
  sandbox: [],
  cli: [...below4, 'stripe', 'kajabi', 'store', 'files', 'server', 'alerts', 'sandbox'],
  bin: ['cli'],
}

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
