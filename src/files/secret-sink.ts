import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { Bug } from '../core/assert.ts'
import { CommandError } from '../core/outcome.ts'
import type { SecretSink } from '../engine/ports.ts'
import { run } from './run.ts'
import type { SecretSurroundings } from './secrets.ts'
import { writeWhole } from './write.ts'

/** Only the owner may read and write the file. */
const ownerOnly = 0o600

type Sink =
  | { readonly kind: 'env_file'; readonly path: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

/**
 * Stores a signing secret where the project says: `{ env_file, name }` sets one variable of a file
 * and keeps the rest, `{ file }` contains only the secret, `{ command }` receives it on its
 * standard input. Only their owner can read the files. Throws `CommandError` `secret_not_kept`.
 */
export function openSecretSink({ folder, env, seconds = 30 }: SecretSurroundings): SecretSink {
  return {
    async write(written, secret) {
      const sink = readSink(written)
      if (sink.kind !== 'command') return keep(sink, resolve(folder, sink.path), secret)
      const { problem } = await run(sink.command, { folder, env, input: secret, seconds })
      if (problem !== undefined) throw notKept(sink.command[0] ?? '', problem)
    },
    async keepPrevious(written) {
      const sink = readSink(written)
      if (sink.kind === 'command') return undefined
      const path = resolve(folder, sink.path)
      try {
        return sink.kind === 'file' ? await copyFile(path, sink.path) : await copyVariable(path, sink)
      } catch (error) {
        throw new CommandError('secret_not_kept', `the current signing secret in ${sink.path} could not be copied`, {
          notDone: 'no endpoint was created or changed',
          fix: 'correct the place named by secret_to, then run the command again',
          cause: error,
        })
      }
    },
  }
}

async function keep(sink: Exclude<Sink, { kind: 'command' }>, path: string, secret: string): Promise<void> {
  try {
    if (sink.kind === 'file') await writeWhole(path, `${secret}\n`, ownerOnly)
    else await setVariable(path, sink.name, secret)
  } catch (error) {
    throw notKept(sink.path, error instanceof Error && 'code' in error ? String(error.code) : 'not writable', error)
  }
}

async function copyFile(path: string, name: string): Promise<string | undefined> {
  const text = await textOf(path)
  if (text.trim() === '') return undefined
  await writeWhole(`${path}.previous`, text, ownerOnly)
  return `${name}.previous`
}

async function copyVariable(path: string, { name }: { readonly name: string }): Promise<string | undefined> {
  const own = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`)
  const line = (await textOf(path)).split('\n').findLast((one) => own.test(one))
  if (line === undefined) return undefined
  await setLine(path, `${name}_PREVIOUS`, line.replace(own, ''))
  return `${name}_PREVIOUS`
}

function readSink(sink: JsonObject): Sink {
  const { env_file: envFile, name, file, command } = sink
  if (typeof envFile === 'string' && typeof name === 'string') return { kind: 'env_file', path: envFile, name }
  if (typeof file === 'string') return { kind: 'file', path: file }
  if (Array.isArray(command) && command.every((part) => typeof part === 'string') && command.length > 0)
    return { kind: 'command', command: command as readonly string[] }
  throw new Bug(`not a sink that the catalog allows: ${isJsonObject(sink) ? Object.keys(sink).join(' ') : typeof sink}`)
}

function notKept(where: string, why: string, cause?: unknown): CommandError {
  return new CommandError('secret_not_kept', `the signing secret could not be given to ${where}: ${why}`, {
    notDone: 'the endpoint exists, but its secret is lost, because Stripe shows it only once',
    fix: 'correct the place named by secret_to, then replace the endpoint ("crossbill apply --allow webhook_replace"), or roll its secret in the Dashboard',
    ...(cause === undefined ? {} : { cause }),
  })
}

/**
 * `NAME=value` in a file of such lines: the line with that name is replaced, or a line is added at
 * the end.
 */
async function setVariable(path: string, name: string, secret: string): Promise<void> {
  await setLine(path, name, /^[\w.:/+=-]*$/.test(secret) ? secret : JSON.stringify(secret))
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}

async function setLine(path: string, name: string, value: string): Promise<void> {
  const before = await textOf(path)
  const line = `${name}=${value}`
  const lines = before === '' ? [] : before.replace(/\n$/, '').split('\n')
  const own = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`)
  const first = lines.findIndex((one) => own.test(one))
  // A second line with the same name would override the new one.
  const kept = lines.filter((one, index) => index === first || !own.test(one))
  const at = kept.findIndex((one) => own.test(one))
  const after = at === -1 ? [...kept, line] : kept.with(at, line)
  await writeWhole(path, `${after.join('\n')}\n`, ownerOnly)
}
