import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inBlocks } from '../core/json-text.ts'

const blockCharacters = 1_048_576

/** A text, whole or in pieces, or the bytes of a file. */
export type Content = string | Iterable<string> | Uint8Array | AsyncIterable<Uint8Array>

/**
 * Writes a whole file or nothing: a temporary file beside it, flushed to disk, then renamed over
 * it, then the folder flushed. A reader, or a crash at any instant, sees the old text or the new
 * text. A text that is too long for one string comes in pieces, and a compressed one as bytes.
 * Folders are created; an existing file keeps its mode unless a mode is given.
 */
export async function writeWhole(path: string, text: Content, mode?: number): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const kept = mode ?? (await modeOf(path))
  const temporary = join(folder, `.${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx', kept ?? 0o666)
    try {
      // The umask of the process may have removed the requested permissions.
      if (kept !== undefined) await file.chmod(kept)
      const isWhole = typeof text === 'string' || text instanceof Uint8Array || Symbol.asyncIterator in text
      await file.writeFile(isWhole ? text : inBlocks(text, blockCharacters))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw naming(path, error)
  }
  await flushFolder(folder)
}

/**
 * A failed write names the temporary file; the message must name the real one.
 */
function naming(path: string, error: unknown): unknown {
  return error instanceof Error && 'syscall' in error ? Object.assign(error, { path }) : error
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Without this, a power failure could lose the rename. Windows cannot open a folder. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
