import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crossbill } from './crossbill.ts'

/**
 * Golden scripts: text files with commands and what they print. Lines starting with `#` are prose,
 * `$` commands; everything else is output.
 *
 * $ project empty                copies test/golden/projects/empty into the folder the script runs
 * in $ write catalog/prices.yaml    the following lines that start with `|` are the file's content
 * $ replace FILE: old => new     changes a text that must be there $ show-file FILE / list DIR
 * prints $ crossbill …                  the real command line, with --quiet; its exit code is
 * printed when it is not 0
 */
export interface Step {
  readonly prose: readonly string[]
  readonly line: string
  readonly input: readonly string[]
}

const projects = fileURLToPath(new URL('../golden/projects', import.meta.url))

export function parseScript(text: string): { readonly steps: readonly Step[]; readonly ending: readonly string[] } {
  const steps: { prose: string[]; line: string; input: string[] }[] = []
  let prose: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || (line === '' && prose.length > 0)) prose.push(line)
    else if (line.startsWith('$ ')) {
      steps.push({ prose, line: line.slice(2), input: [] })
      prose = []
    } else if (line.startsWith('|')) steps.at(-1)?.input.push(line)
  }
  return { steps, ending: prose }
}

/** Plays a script in a folder. @returns the script with the output it gave now */
export async function play(text: string, folder: string): Promise<string> {
  const { steps, ending } = parseScript(text)
  const lines: string[] = []
  for (const step of steps) {
    lines.push(...step.prose, `$ ${step.line}`, ...step.input)
    const output = (await perform(step, folder)).replaceAll(folder, '<folder>').trimEnd()
    if (output !== '') lines.push(...output.split('\n').map(guarded))
    lines.push('')
  }
  return `${[...lines, ...ending].join('\n').trimEnd()}\n`
}

/** An output line must not read as prose or as a command. */
function guarded(line: string): string {
  return /^[#$|]/.test(line) ? `\\${line}` : line
}

async function perform({ line, input }: Step, folder: string): Promise<string> {
  const [word = '', ...rest] = line.split(' ')
  const argument = rest.join(' ')
  switch (word) {
    case 'crossbill':
      return await runCommand(rest, folder)
    case 'project':
      cpSync(join(projects, argument), folder, { recursive: true })
      return ''
    case 'write':
      mkdirSync(dirname(join(folder, argument)), { recursive: true })
      writeFileSync(join(folder, argument), input.map((one) => `${one.slice(1).replace(/^ /, '')}\n`).join(''))
      return ''
    case 'replace':
      return replace(argument, folder)
    case 'show-file':
      return readFileSync(join(folder, argument), 'utf8')
    case 'list':
      return existsSync(join(folder, argument))
        ? readdirSync(join(folder, argument)).sort().join('\n')
        : 'no such folder'
    default:
      throw new Error(`no such step in a golden script: ${line}`)
  }
}

async function runCommand(words: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await crossbill([...words, '--quiet'], folder)
  const parts = [stdout.trimEnd(), stderr === '' ? '' : `stderr: ${stderr.trimEnd()}`, code === 0 ? '' : `exit ${code}`]
  return parts.filter((part) => part !== '').join('\n')
}

function replace(argument: string, folder: string): string {
  const [, file = '', old = '', made = ''] = /^(\S+): (.*) => (.*)$/.exec(argument) ?? []
  const text = readFileSync(join(folder, file), 'utf8')
  if (!text.includes(old)) throw new Error(`${file} does not hold ${old}`)
  writeFileSync(join(folder, file), text.replace(old, made))
  return ''
}
