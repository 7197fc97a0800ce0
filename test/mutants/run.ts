import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chance } from '../simulate/chance.ts'
import { mutationsOf, type Mutation } from './mutations.ts'

/**
 * `npm run mutants -- --sample 200 [--seed S] [--folders handover,plan] [--near]`: small faults,
 * each made alone in a copy of the repository. The tests of the folder run first, then every test
 * that imports the file; `--near` omits the latter, which takes most of the time. A mutant that
 * passes all tests is printed with its position. The seed comes from the clock and is printed, so
 * that each run tests other places and can be repeated.
 */
const folders = ['billing', 'kinds', 'live', 'handover', 'plan', 'access', 'cancel', 'pull', 'engine', 'stripe']
const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    folders: { type: 'string', default: folders.join(',') },
    near: { type: 'boolean', default: false },
  },
})

interface Mutant extends Mutation {
  readonly file: string
}

const root = new URL('../..', import.meta.url).pathname
const seed = Number(values.seed)
const random = chance(seed)
const files = values.folders.split(',').flatMap((folder) => globSync(`src/${folder}/**/*.ts`, { cwd: root }))
const all = files.flatMap((file) =>
  mutationsOf(file, readFileSync(join(root, file), 'utf8')).map((one): Mutant => ({ ...one, file })),
)
// Every folder has the same weight, however much code it has.
const perFolder = Map.groupBy(all, ({ file }) => file.split('/').slice(0, 2).join('/'))
const sample = Array.from({ length: Number(values.sample) }, () => random.one(random.one([...perFolder.values()])))

const copy = mkdtempSync(join(tmpdir(), 'crossbill-mutants-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))
for (const name of execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n'))
  cpSync(join(root, name), join(copy, name))
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

process.stdout.write(`seed ${seed}: ${sample.length} of ${all.length} mutants in ${files.length} files\n`)
const survivors: string[] = []
for (const [index, mutant] of sample.entries()) {
  const path = join(copy, mutant.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end))
  const noticed = await isNoticed(mutant.file)
  writeFileSync(path, source)
  const line = source.slice(0, mutant.start).split('\n').length
  const place = `${mutant.file}:${line}: ${mutant.what}`
  if (!noticed) survivors.push(place)
  process.stderr.write(`${index + 1}/${sample.length} ${noticed ? 'killed  ' : 'SURVIVED'} ${place}\n`)
}
const killed = sample.length - survivors.length
process.stdout.write(`${killed} of ${sample.length} killed (${Math.round((100 * killed) / sample.length)} %)\n`)
for (const place of survivors) process.stdout.write(`survived ${place}\n`)

/** The tests nearby come first: they are fast and find most faults. */
async function isNoticed(file: string): Promise<boolean> {
  const near = nearTests(file)
  if (near.length > 0 && !(await passes(['run', ...near]))) return true
  return !values.near && !(await passes(['related', '--run', file]))
}

function nearTests(file: string): readonly string[] {
  const [, folder = '', inner = ''] = file.split('/')
  return [`test/${folder}`, ...(folder === 'engine' ? [`test/${inner}`] : [])].filter((one) =>
    existsSync(join(root, one)),
  )
}

/** A mutant that makes a test hang counts as found: half an hour is more than all tests take. */
function passes(args: readonly string[]): Promise<boolean> {
  const child = spawn('node_modules/.bin/vitest', [...args, '--config', 'test/vitest.config.ts', '--bail=1'], {
    cwd: copy,
    stdio: 'ignore',
    timeout: 1_800_000,
  })
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)))
}
