import { access, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CommandError } from '../core/outcome.ts'
import { textIn } from './gzip.ts'
import { writeWhole, type Content } from './write.ts'

/** A file that commands write, and how they recognise an earlier one. */
export interface OutputKind {
  /** `a saved plan`, for messages. */
  readonly what: string
  /**
   * Whether a text is one: its first and its last 4,096 bytes if it is long, and only the first if
   * it is compressed.
   */
  readonly isOne: (text: string) => boolean
  /** How the name of such a file ends. One that ends like another kind of file is refused. */
  readonly ends?: readonly string[]
}

/** A file that a command is going to write. */
export interface Output {
  readonly path: string
  readonly kind: OutputKind
}

const endBytes = 4_096

/**
 * A JSON document of Crossbill, in any version and with any white space: `format` and `tool`, then
 * these keys.
 */
export function documentWith(
  what: string,
  ...keys: readonly string[]
): OutputKind & { readonly ends: readonly string[] } {
  const members = keys.map((key) => String.raw`,\s*"${key}":\s*(?:"[^"]*"|\w+)`).join('')
  const head = new RegExp(String.raw`^\s*\{\s*"format":\s*\d+,\s*"tool":\s*"crossbill[^"]*"${members}`)
  return { what, isOne: (text) => head.test(text), ends: ['.json'] }
}

/**
 * Commands call it before they begin, so that a long run is not lost at its end.
 * @throws CommandError `out_taken` when another file has one of the names, `out_in_catalog` for a
 *   place among the YAML, `out_name` for a name that ends like another kind of file
 */
export async function refuseTaken(outputs: readonly Output[], notDone = 'nothing was written'): Promise<void> {
  for (const { path, kind } of outputs) {
    refuseName(path, kind, notDone)
    await refuseInCatalog(path, notDone)
    const problem = await problemWith(path, kind)
    if (problem === undefined) continue
    throw new CommandError('out_taken', `${path} ${problem}`, {
      notDone,
      fix: 'Name another place after --out, or move what is there away.',
    })
  }
}

/** Names by which programs open a file as something else. Any other name is the user's choice. */
const knownEnds = ['.json', '.json.gz', '.html', '.htm', '.md', '.csv', '.yaml', '.yml']

function refuseName(path: string, { what, ends }: OutputKind, notDone: string): void {
  const hasOne = (of: readonly string[]): boolean => of.some((end) => path.toLowerCase().endsWith(end))
  if (ends === undefined || hasOne(ends) || !hasOne(knownEnds)) return
  throw new CommandError('out_name', `${path} would hold ${what}, whose name ends in ${ends.join(' or ')}`, {
    notDone,
    fix: 'Name the file accordingly. --format decides only what is printed; to keep that, redirect it: … > FILE',
  })
}

/** The YAML folder holds what people write, and nothing else. */
export async function refuseInCatalog(path: string, notDone = 'nothing was written'): Promise<void> {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (basename(folder) !== 'catalog' || !(await exists(join(folder, 'project.yaml')))) continue
    throw new CommandError('out_in_catalog', `${path} lies in ${folder}, the YAML of a project`, {
      notDone,
      fix: 'Name a place outside of it: report/, plans/ or evidence/ beside catalog/.',
    })
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Writes a whole file, or nothing. Only an earlier file of the same kind is replaced.
 * @throws CommandError `out_taken`
 */
export async function writeOutput(
  output: Output,
  text: Content,
  { mode, notDone }: { readonly mode?: number; readonly notDone?: string } = {},
): Promise<void> {
  await refuseTaken([output], notDone)
  await writeWhole(output.path, text, mode)
}

/** Deletes a file of this kind; any other file stays. @returns whether there was one */
export async function removeOutput({ path, kind: { isOne } }: Output): Promise<boolean> {
  const found = await endsOf(path)
  if (!('text' in found) || !isOne(found.text)) return false
  await rm(path)
  return true
}

async function problemWith(path: string, { what, isOne }: OutputKind): Promise<string | undefined> {
  const found = await endsOf(path)
  if ('absent' in found) return undefined
  if ('problem' in found) return found.problem
  return isOne(found.text) ? undefined : `exists and is not ${what} that Crossbill wrote`
}

type Found = { readonly absent: true } | { readonly problem: string } | { readonly text: string }

/** The first and the last bytes of a file. */
async function endsOf(path: string): Promise<Found> {
  try {
    const about = await stat(path)
    // A device or a pipe would be replaced by a file, and opening it may wait for ever.
    if (!about.isFile()) return { problem: about.isDirectory() ? 'is a folder' : 'is not a regular file' }
    const file = await open(path, 'r')
    try {
      const head = await textAt(file, 0, Math.min(about.size, 2 * endBytes))
      const tail = about.size <= 2 * endBytes ? '' : await textAt(file, about.size - endBytes, endBytes)
      return { text: tail === '' ? head : `${head}\n${tail}` }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return { absent: true }
    if (code === 'ENOTDIR') return { problem: 'lies below a file, not below a folder' }
    throw error
  }
}

async function textAt(file: Awaited<ReturnType<typeof open>>, from: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
  return textIn(buffer.subarray(0, bytesRead))
}
