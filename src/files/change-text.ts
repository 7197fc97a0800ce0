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
  const own = await take(lock)
  try {
    const after = change(await textOf(real))
    if (after === undefined) return false
    // A process that was stopped for long may have lost the lock to another one.
    if ((await identityOf(lock)) !== own) throw inTheWay(lock)
    await writeWhole(real, after, mode)
    return true
  } finally {
    if ((await identityOf(lock)) === own) await rm(lock, { force: true })
  }
}

/** The text of a file; empty without one. */
export async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(absentAs(''))
}

/** Waits for the lock. Returns the identity of the lock file. */
async function take(lock: string): Promise<string | undefined> {
  const until = performance.now() + patienceSeconds * 1_000
  while (!(await isTaken(lock))) {
    if (performance.now() > until) throw inTheWay(lock)
    await sleep(10)
  }
  return await identityOf(lock)
}

/**
 * Creates the lock, or removes one that was left over; true when it was created. The removal needs
 * a lock of its own, named after the lock that was left: otherwise a slow process could remove the
 * new lock of a faster one, which removed the same old lock before.
 */
async function isTaken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close()
    return true
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  }
  const left = await leftOver(lock)
  if (left === undefined) return false
  const guard = `${lock}.${left}`
  if (!(await isTaken(guard))) return false
  try {
    if ((await leftOver(lock)) === left) await rm(lock, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
  return false
}

/** The identity of a lock that a killed process left; undefined for a lock in use, or none. */
async function leftOver(lock: string): Promise<string | undefined> {
  const found = await stat(lock).catch(absentAs(undefined))
  return found !== undefined && Date.now() - found.mtimeMs > leftAfterSeconds * 1_000 ? nameOf(found) : undefined
}

async function identityOf(lock: string): Promise<string | undefined> {
  const found = await stat(lock).catch(absentAs(undefined))
  return found === undefined ? undefined : nameOf(found)
}

function nameOf({ ino, mtimeMs }: { readonly ino: number; readonly mtimeMs: number }): string {
  return `${ino}-${Math.round(mtimeMs * 1_000)}`
}

function inTheWay(lock: string): Error {
  return Object.assign(new Error(`${lock} is in the way`), { code: 'ELOCKED' })
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
