import { open, rm, stat } from 'node:fs/promises'
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
export function documentWith(what: string, ...keys: readonly string[]): OutputKind {
  const members = keys.map((key) => String.raw`,\s*"${key}":\s*(?:"[^"]*"|\w+)`).join('')
  const head = new RegExp(String.raw`^\s*\{\s*"format":\s*\d+,\s*"tool":\s*"crossbill[^"]*"${members}`)
  return { what, isOne: (text) => head.test(text) }
}

/**
 * Commands call it before they begin, so that a long run is not lost at its end.
 * @throws CommandError `out_taken` when another file has one of the names
 */
export async function refuseTaken(outputs: readonly Output[], notDone = 'nothing was written'): Promise<void> {
  for (const { path, kind } of outputs) {
    const problem = await problemWith(path, kind)
    if (problem === undefined) continue
    throw new CommandError('out_taken', `${path} ${problem}`, {
      notDone,
      fix: 'Name another place after --out, or move what is there away.',
    })
  }
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
