import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseConfirmed, type Confirmed } from '../assumptions/record.ts'
import type { Knowledge } from '../assumptions/standing.ts'
import { documentWith, refuseTaken, writeOutput } from './outputs.ts'

/** Where the answers of a test account are kept, below the project's folder. */
export const confirmedPath = 'state/confirmed.json'

/** What `crossbill confirm` wrote; a wrong file stops no command. */
export async function readConfirmed(project: string): Promise<Knowledge> {
  let text: string
  try {
    text = await readFile(join(project, confirmedPath), 'utf8')
  } catch (error) {
    const { code } = error as { code?: string }
    return code === 'ENOENT' || code === 'ENOTDIR' ? { missing: true } : { problem: `it could not be opened (${code})` }
  }
  try {
    const parsed = parseConfirmed(JSON.parse(text) as unknown)
    return 'value' in parsed ? { record: parsed.value } : { problem: parsed.problem }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { problem: 'it is not JSON' }
  }
}

const confirmedKind = documentWith('a file of answers', 'at', 'account')

/** Called before a test account is asked. @throws CommandError `out_taken` */
export async function refuseTakenConfirmed(path: string): Promise<void> {
  await refuseTaken([{ path, kind: confirmedKind }], 'no account was asked')
}

/** Writes the whole file, or nothing. @throws CommandError `out_taken` */
export async function writeConfirmed(path: string, record: Confirmed): Promise<void> {
  await writeOutput({ path, kind: confirmedKind }, `${JSON.stringify(record, null, 2)}\n`)
}
