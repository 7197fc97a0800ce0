import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip, gunzipSync } from 'node:zlib'
import { inBlocks } from '../core/json-text.ts'

const blockCharacters = 1_048_576
/** Nearly as small as the best level, in a third of its time. */
const level = 4

/** A long text, compressed while it is made. */
export function gzipped(text: Iterable<string>): AsyncIterable<Uint8Array> {
  return through(Readable.from(inBlocks(text, blockCharacters)), createGzip({ level }))
}

/**
 * The text of a file in pieces. A compressed file is recognised by its content, whatever its name.
 */
export async function* readText(path: string): AsyncGenerator<string> {
  const isCompressed = await isGzip(path)
  const file = createReadStream(path, { highWaterMark: blockCharacters })
  const bytes = isCompressed ? through(file, createGunzip()) : file
  const decoder = new TextDecoder()
  try {
    for await (const chunk of bytes as AsyncIterable<Uint8Array>) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } finally {
    file.destroy()
  }
}

/** The text of a file, or of its first bytes. Bytes that cannot be inflated are no text. */
export function textIn(bytes: Uint8Array): string {
  if (!beginsGzip(bytes)) return Buffer.from(bytes).toString('utf8')
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('utf8')
  } catch {
    return ''
  }
}

function beginsGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** An error of the first stream becomes an error of the second one. */
function through<S extends NodeJS.ReadWriteStream>(from: Readable, to: S): S & AsyncIterable<Uint8Array> {
  pipeline(from, to).catch(() => undefined)
  return to as S & AsyncIterable<Uint8Array>
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && beginsGzip(buffer)
  } finally {
    await file.close()
  }
}
