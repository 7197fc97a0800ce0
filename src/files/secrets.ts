import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SecretRef } from '../catalog/secret-schema.ts'
import { CommandError } from '../core/outcome.ts'
import { run } from './run.ts'

export interface SecretSurroundings {
  /** The project's folder: relative paths start here, commands run here. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Seconds a command may take; 10 by default. */
  readonly seconds?: number
}

/**
 * The secret that a reference names, without the line end that files and programs add to it.
 * `purpose` ("the key of account us") appears in the message of the `CommandError` when the secret
 * is missing; the secret and the output of a program never do.
 */
export async function resolveSecret(
  ref: SecretRef,
  purpose: string,
  surroundings: SecretSurroundings,
): Promise<string> {
  const found = await look(ref, surroundings)
  const secret = 'secret' in found ? found.secret.replace(/\r?\n$/, '') : ''
  if ('problem' in found || secret === '')
    throw new CommandError(
      'secret_missing',
      `${purpose}: ${'problem' in found ? found.problem : `${place(ref)} is empty`}`,
      {
        notDone: 'no request was sent',
        fix: `put the secret where the project says it is (${place(ref)}), or name another place in catalog/project.yaml`,
      },
    )
  return secret
}

function place(ref: SecretRef): string {
  if ('env' in ref) return `environment variable ${ref.env}`
  if ('file' in ref) return `file ${ref.file}`
  // Arguments may contain secrets.
  return `command ${ref.command[0] ?? ''}`
}

async function look(
  ref: SecretRef,
  { folder, env, seconds = 10 }: SecretSurroundings,
): Promise<{ secret: string } | { problem: string }> {
  if ('env' in ref) {
    const secret = env[ref.env]
    return secret === undefined ? { problem: `${place(ref)} is not set` } : { secret }
  }
  if ('file' in ref) {
    try {
      return { secret: await readFile(resolve(folder, ref.file), 'utf8') }
    } catch (error) {
      return {
        problem: `${place(ref)} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'})`,
      }
    }
  }
  const { problem, output } = await run(ref.command, { folder, env, input: '', seconds })
  return problem === undefined ? { secret: output } : { problem: `${place(ref)} ${problem}` }
}
