import { mkdir, open, readFile, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWhole } from './write.ts'

/** A change takes milliseconds, so an older lock was left by a process that was killed. */
const leftAfterSeconds = 30

const patienceSeconds = 60

/**
 * Changes a text file that several writers of this machine may change at the same time: one after
 * the other, each from what the earlier one wrote. `change` gets the present text, empty without a
 * file; undefined leaves the file as it is. Returns whether the file was written. Throws
 * `ELOCKED` when another process does not finish.
 */
export async function changeText(
  path: string,
  change: (before: string) => string | undefined,
  mode?: number,
): Promise<boolean> {
  // Two names of one file must share a lock, and the write must not replace a link.
  const real = await realpath(path).catch(absentAs(path))
  const lock = join(dirname(real), `.${basename(real)}.lock`)
  await mkdir(dirname(real), { recursive: true })
  await take(lock)
  try {
    const after = change(await textOf(real))
    if (after === undefined) return false
    await writeWhole(real, after, mode)
    return true
  } finally {
    await rm(lock, { force: true })
  }
}

/** The text of a file; empty without one. */
export async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(absentAs(''))
}

async function take(lock: string): Promise<void> {
  const until = performance.now() + patienceSeconds * 1_000
  while (!(await isTaken(lock))) {
    if (performance.now() > until) throw Object.assign(new Error(`${lock} is in the way`), { code: 'ELOCKED' })
    await sleep(10)
  }
}

/** Creates the lock, or removes one that was left over; true when it was created. */
async function isTaken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close()
    return true
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  }
  const changed = await stat(lock).then(({ mtimeMs }) => mtimeMs, absentAs(undefined))
  if (changed !== undefined && Date.now() - changed > leftAfterSeconds * 1_000) await rm(lock, { force: true })
  return false
}

function absentAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isCode(error, 'ENOENT')) return value
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
