import { resolve } from 'node:path'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { Bug } from '../core/assert.ts'
import { CommandError } from '../core/outcome.ts'
import type { SecretSink } from '../engine/ports.ts'
import { changeText, textOf } from './change-text.ts'
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
 * standard input. Only their owner can read the files. Several secrets may be stored at the same
 * time: files by several processes, and commands one after the other, because a command may also
 * read and write one file. Throws `CommandError` `secret_not_kept`.
 */
export function openSecretSink(
  { folder, env, seconds = 30 }: SecretSurroundings,
  say: (text: string) => void = () => {},
): SecretSink {
  let earlier: Promise<unknown> = Promise.resolve()
  const oneByOne = (command: readonly string[], input: string): ReturnType<typeof run> => {
    const own = earlier.then(() => run(command, { folder, env, input, seconds }))
    earlier = own
    return own
  }
  return {
    async write(written, secret) {
      const sink = readSink(written)
      if (sink.kind !== 'command') {
        await keep(sink, resolve(folder, sink.path), secret)
        say(
          `A signing secret of Stripe was stored in ${sink.path}${sink.kind === 'env_file' ? ` as ${sink.name}` : ''}.`,
        )
        return
      }
      const { problem } = await oneByOne(sink.command, secret)
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
  const isCopied = await changeText(
    path,
    (before) => {
      const line = linesOf(before).findLast((one) => sets(name).test(one))
      return line === undefined ? undefined : withLine(before, `${name}_PREVIOUS`, line.replace(sets(name), ''))
    },
    ownerOnly,
  )
  return isCopied ? `${name}_PREVIOUS` : undefined
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

async function setVariable(path: string, name: string, secret: string): Promise<void> {
  const value = /^[\w.:/+=-]*$/.test(secret) ? secret : JSON.stringify(secret)
  await changeText(path, (before) => withLine(before, name, value), ownerOnly)
}

/**
 * `NAME=value` in a text of such lines: the line with that name is replaced, or a line is added at
 * the end.
 */
function withLine(before: string, name: string, value: string): string {
  const line = `${name}=${value}`
  const lines = linesOf(before)
  const first = lines.findIndex((one) => sets(name).test(one))
  // A second line with the same name would override the new one.
  const kept = lines.filter((one, index) => index === first || !sets(name).test(one))
  const after = first === -1 ? [...kept, line] : kept.with(first, line)
  return `${after.join('\n')}\n`
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function sets(name: string): RegExp {
  return new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`)
}
