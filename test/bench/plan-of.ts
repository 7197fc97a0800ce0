// people.ts runs this file in separate processes, to measure their memory: `node plan-of.ts URL
// FOLDER pull` writes a catalog; without the last word it makes a plan. Prints one line of JSON.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chalk } from 'chalk'
import { readPlan, savePlan } from '../../src/cli/wiring/plan-file.ts'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import { checkBasis, checkDocument } from '../../src/engine/apply/basis.ts'
import type { Context } from '../../src/engine/context.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import { planOf } from '../../src/engine/plan/make-plan.ts'
import { pull } from '../../src/engine/pull.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { readCopyMapCsv } from '../../src/files/copy-map.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import type { Catalog } from '../../src/catalog/types.ts'
import { openStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { projectYaml } from '../catalog/project.ts'

export interface Measured {
  readonly moves: number
  /** Processor milliseconds. */
  readonly stages: Readonly<Record<string, number>>
  /** Maximum of resident memory in MiB: until the plan is saved, and with its application. */
  readonly memory: { readonly plan: number; readonly apply: number }
  readonly fileMegabytes: number
  readonly markdown: number
  readonly text: number
  /** `target 52, us 1204, intl 930` */
  readonly reads: string
}

const [url = '', folder = '', work = 'plan'] = process.argv.slice(2)
const pulledFile = join(folder, 'catalog.json')
const names = ['target', 'us', 'intl'] as const
const reads = new Map<string, number>()
const stages: Record<string, number> = {}

async function timed<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  const before = process.cpuUsage()
  const value = await work()
  const { user, system } = process.cpuUsage(before)
  stages[name] = (user + system) / 1_000
  return value
}

const context = await open()
if (work === 'pull') await pulled()
else process.stdout.write(`${JSON.stringify(await measured())}\n`)

async function measured(): Promise<Measured> {
  const catalog = await timed('read the catalog', catalogOf)
  const staged: Context = { ...context, catalog }
  const plan = await timed('plan', async () => planOf(staged, await survey(staged)))
  const [text, markdown] = await timed('show', () => [
    planText(plan, new Chalk({ level: 0 })).length,
    planMarkdown(plan).length,
  ])
  const path = join(folder, 'all.plan.json')
  await timed('save', () => savePlan(path, plan))
  const planned = mostMemory()
  await timed('apply as far as the check of the basis', async () => {
    const saved = await readPlan(path)
    checkDocument(staged, saved)
    const fresh = await planOf(staged, await survey(staged))
    const state = await staged.store.version()
    const nothing = { resolve: () => undefined, resolveFound: () => undefined, standingOf: () => undefined }
    const none = { done: new Set<never>(), begun: new Set<never>(), taken: new Set<never>() }
    const earlier = { resumed: false, finished: false, ...none, ...nothing, state }
    const { ready } = checkBasis(saved, fresh, earlier)
    if (ready.length !== saved.changes.length) throw new Error('the bench applies only a part of its plan')
  })
  const applied = mostMemory()
  reads.clear()
  await timed('verify', () => verify(staged))
  return {
    moves: plan.summary.move,
    stages,
    memory: { plan: planned, apply: applied },
    fileMegabytes: Math.round(statSync(path).size / 1e6),
    markdown,
    text,
    reads: names.map((name) => `${name} ${reads.get(name) ?? 0}`).join(', '),
  }
}

function mostMemory(): number {
  return Math.round(process.resourceUsage().maxRSS / 1_024)
}

async function open(): Promise<Context> {
  const connect = async (name: string) =>
    connectAccount({
      name,
      key: `sk_test_sandbox_${name}`,
      apiBase: url,
      fetch(input, init) {
        reads.set(name, (reads.get(name) ?? 0) + 1)
        return fetch(input, init)
      },
    })
  const { catalog: empty } = loadCatalog([{ path: 'project.yaml', text: projectYaml }])
  if (empty === undefined) throw new Error('no catalog')
  return {
    accounts: {
      target: await connect('target'),
      sources: new Map([
        ['us', await connect('us')],
        ['intl', await connect('intl')],
      ]),
    },
    store: await openStore({ file: join(folder, 'crossbill.db') }),
    catalog: empty,
    progress: { start() {}, step() {}, note() {}, done() {} },
    interrupt: { requested: false },
    sink: { async write() {} },
    tool: 'crossbill bench',
    run: 'bench',
    wait: async () => {},
  }
}

/** Pulls and writes the catalog, copies the customers and imports the mapping files. */
async function pulled(): Promise<void> {
  for (const source of ['us', 'intl']) {
    const body = JSON.stringify({ from: source, to: 'target' })
    const csv = await (await fetch(`${url}/_sandbox/copy`, { method: 'POST', body })).text()
    await importCopyMap(context, source, readCopyMapCsv(source, `${source}.csv`, csv).rows)
  }
  const files = new Map([['project.yaml', projectYaml]])
  for (const [at, yaml] of (await pull(context, { files })).files) files.set(at, yaml)
  writeFileSync(pulledFile, JSON.stringify([...files]))
}

/** The pulled catalog with every subscriber's stage at `target`. */
function catalogOf(): Catalog {
  const files = JSON.parse(readFileSync(pulledFile, 'utf8')) as [string, string][]
  const moving = files.map(([at, yaml]) => ({ path: at, text: yaml.replace(/^stage: source$/m, 'stage: target') }))
  const { catalog } = loadCatalog(moving)
  if (catalog === undefined) throw new Error('the bench’s catalog does not validate')
  return catalog
}
