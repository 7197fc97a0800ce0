import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, link, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { CommandError } from '../core/outcome.ts'
import { refuseInCatalog } from './outputs.ts'

/**
 * Writes the lines into a new compressed file, whole or not at all, readable by its owner only.
 * @throws CommandError `out_taken` when the file exists, `out_in_catalog`
 */
export async function writeBackup(path: string, lines: AsyncIterable<string>): Promise<void> {
  await refuseInCatalog(path)
  if (await exists(path)) throw taken(path)
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${randomUUID()}.tmp`)
  try {
    await pipeline(
      Readable.from(ended(lines)),
      createGzip(),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }),
    )
    // A link fails where a rename would replace a file that appeared in the meantime.
    await link(temporary, path).catch((error: unknown) => {
      throw isTaken(error) ? taken(path) : error
    })
    const held = await open(folder, 'r')
    try {
      await held.sync()
    } finally {
      await held.close()
    }
  } finally {
    await rm(temporary, { force: true })
  }
}

/** @throws CommandError `backup_unreadable` while it is read */
export async function* readBackup(path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const text = createGunzip()
  const sent = pipeline(file, text)
  // Reported by the loop below, or by the await after it.
  sent.catch(() => {})
  try {
    yield* createInterface({ input: text, crlfDelay: Infinity })
    await sent
  } catch (error) {
    if (error instanceof CommandError) throw error
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    throw new CommandError('backup_unreadable', `${path} cannot be read as a backup: ${why}`, {
      notDone: 'nothing was restored',
      fix: 'use another backup, or run "crossbill state rebuild": everything but the inbox is read back from the accounts',
      cause: error,
    })
  }
}

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function taken(path: string): CommandError {
  return new CommandError('out_taken', `${path} exists, and a backup replaces no file`, {
    notDone: 'nothing was written',
    fix: 'name another file',
  })
}
