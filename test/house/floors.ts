import { dirname } from 'node:path'

/**
 * Rows from the lowest up. A unit may import itself and units of lower rows, and no other unit of
 * its row.
 */
type Rows = readonly (readonly string[])[]

/**
 * The floors, types included: one ordered list for every folder that contains folders. A unit is a
 * folder, or a file by its name; `.` is all other files of the folder. The linter forbids cycles
 * between the files of one unit.
 */
export const floors: Readonly<Record<string, Rows>> = {
  src: [
    ['core'],
    ['kinds', 'billing'],
    ['live'],
    ['catalog'],
    ['handover', 'assumptions'],
    ['plan'],
    ['access', 'cancel', 'cards'],
    ['pull'],
    ['engine'],
    ['stripe', 'kajabi', 'store', 'files', 'server', 'alerts', 'forge', 'sandbox', 'confirm'],
    ['cli'],
    ['bin'],
  ],
  'src/catalog': [
    ['.'],
    ['schemas'],
    ['file-kinds.ts', 'draft.ts', 'project.ts', 'subscribers.ts'],
    ['validate.ts', 'lifecycle.ts', 'placed-files.ts'],
    ['rules', 'left-out.ts'],
    ['access-read.ts'],
    ['load.ts'],
  ],
  'src/handover': [
    ['.'],
    ['carried'],
    ['recipe.ts'],
    ['hold-steps.ts'],
    ['obstacles.ts', 'plans.ts'],
    ['requests.ts', 'classify.ts'],
  ],
  'src/plan': [['.'], ['resources'], ['money.ts']],
  'src/engine': [
    ['.'],
    ['send'],
    ['read'],
    ['access'],
    ['handover'],
    ['plan'],
    ['check'],
    ['apply'],
    ['pull.ts', 'copy-map.ts', 'state.ts', 'rebuild.ts', 'as-rebuilt.ts'],
    ['verify', 'doctor'],
    ['cards'],
    ['inbox'],
    ['rehearse', 'explain'],
  ],
  'src/confirm': [['case.ts'], ['cases', 'ground.ts'], ['.']],
  'src/server': [['languages'], ['.']],
  'src/sandbox': [
    ['kernel'],
    ['stripe', 'faults.ts'],
    ['kajabi', 'live', 'copy.ts', 'webhooks.ts'],
    ['population'],
    ['acting.ts'],
    ['modules.ts'],
    ['.'],
  ],
  'src/cli': [
    ['.'],
    ['render'],
    ['report', 'wiring'],
    ['demo', 'rehearsal'],
    ['commands'],
    ['commands.ts'],
    ['main.ts'],
  ],
  'src/cli/report': [
    ['rehearsal-words.ts'],
    ['rehearsal-verdict.ts'],
    ['stored.ts'],
    ['rehearsal-record.ts'],
    ['evidence.ts'],
    ['plots'],
    ['page.ts'],
    ['document.ts'],
    ['said.ts'],
    ['since.ts'],
    ['deliverables'],
    ['.'],
  ],
}

/**
 * Folders that form one unit with their inner folder: Stripe's objects and their billing refer to
 * each other.
 */
const undivided: readonly string[] = ['src/sandbox/stripe']

/**
 * The sandbox judges the product, so it shares only these files of the core with it, without money
 * and calendar.
 */
export const sandboxMayUse: readonly string[] = ['assert', 'json', 'instant'].map((name) => `src/core/${name}.ts`)

/** Why an import is not allowed; undefined when it is. */
export function forbidden(from: string, to: string): string | undefined {
  // Only package.json contains the version.
  if (to === 'package.json' && from.startsWith('src/cli/')) return undefined
  if (!to.startsWith('src/')) return `${from} imports ${to}, which is outside src`
  const folder = commonFolder(from, to)
  const rows = floors[folder]
  // Both files are in one folder without inner folders, where the linter forbids cycles.
  if (rows === undefined) return undefined
  const [here, there] = [unitIn(rows, folder, from), unitIn(rows, folder, to)]
  if (here === there) return undefined
  if (folder === 'src' && here === 'sandbox')
    return sandboxMayUse.includes(to) ? undefined : `${from} (sandbox) may not import ${to}`
  const [high, low] = [floorOf(rows, here), floorOf(rows, there)]
  if (high === undefined) return `${from} stands in a folder without a floor`
  if (low === undefined) return `${to} stands in a folder without a floor`
  return low < high ? undefined : `${from} (${here}) may not import ${to} (${there})`
}

/** Folders that contain folders must have rows, and every inner folder must be in a row. */
export function unplaced(paths: readonly string[]): readonly string[] {
  const folders = new Set(paths.flatMap(ancestors).filter((folder) => folder.startsWith('src/')))
  return [...folders].filter((folder) => {
    const parent = dirname(folder)
    if (undivided.includes(parent)) return false
    const rows = floors[parent]
    return rows === undefined || floorOf(rows, folder.slice(parent.length + 1)) === undefined
  })
}

/** Units in a list that do not exist. */
export function vacant(paths: readonly string[]): readonly string[] {
  return Object.entries(floors).flatMap(([folder, rows]) =>
    rows
      .flat()
      .filter((unit) => unit !== '.')
      .map((unit) => `${folder}/${unit}`)
      .filter((place) => !paths.some((path) => path === place || path.startsWith(`${place}/`))),
  )
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === '.' ? [] : [parent, ...ancestors(parent)]
}

function commonFolder(a: string, b: string): string {
  const below = new Set(ancestors(b))
  return ancestors(a).find((folder) => below.has(folder)) ?? 'src'
}

function unitIn(rows: Rows, folder: string, path: string): string {
  const [first = '', ...deeper] = path.slice(folder.length + 1).split('/')
  return deeper.length > 0 || floorOf(rows, first) !== undefined ? first : '.'
}

function floorOf(rows: Rows, unit: string): number | undefined {
  const at = rows.findIndex((row) => row.includes(unit))
  return at === -1 ? undefined : at
}
