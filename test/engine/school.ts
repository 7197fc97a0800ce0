import type { Catalog, DesiredSubscriber, Stage } from '../../src/catalog/types.ts'
import { digest } from '../../src/core/canonical.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import { pull } from '../../src/engine/pull.ts'
import { projectYaml } from '../catalog/project.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { at, openRig, type Rig } from './rig.ts'

/** The school of the sandbox, pulled into a catalog, its customers copied to the target. */
export interface School extends AsyncDisposable {
  readonly rig: Rig
  readonly catalog: Catalog
  readonly notes: readonly string[]
  stage(stage: Stage | ((one: DesiredSubscriber) => Stage), policies?: string): Context
}

export async function openSchool(subscribers: number, seed = 1, policies = ''): Promise<School> {
  const empty = loaded(new Map([['project.yaml', projectYaml]]))
  const rig = await openRig(empty, {
    clock: at('2026-12-01T12:00:00Z'),
    seed,
    population: { name: 'school', subscribers },
  })
  const files = new Map([['project.yaml', `${projectYaml}${policies}`]])
  const pulled = await pull(rig.context, { files })
  for (const [path, text] of pulled.files) files.set(path, text)
  const catalog = loaded(files)
  for (const source of ['us', 'intl']) await importCopy(rig, source)
  return {
    rig,
    catalog,
    notes: pulled.notes,
    stage(stage) {
      const subscribers = catalog.subscribers.map((one) => ({
        ...one,
        stage: typeof stage === 'string' ? stage : stage(one),
      }))
      return rig.with({
        ...catalog,
        subscribers,
        digest: digest([catalog.digest, subscribers.map((one) => one.stage)]),
      })
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}

function loaded(files: ReadonlyMap<string, string>): Catalog {
  const { catalog, findings } = loadCatalog([...files].map(([path, text]) => ({ path, text })))
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

/** Stripe's copy of one source's customers, and the import of its mapping file. */
export async function importCopy(rig: Rig, source: string): Promise<void> {
  const body = JSON.stringify({ from: source, to: 'target' })
  const response = await rig.sandbox.fetch('https://sandbox/_sandbox/copy', { method: 'POST', body })
  const lines = (await response.text()).trim().split('\n').slice(1)
  const rows = lines.map((line) => {
    const [customerOld = '', sourceOld = '', customerNew = '', sourceNew = ''] = line.split(',')
    return { source, customerOld, sourceOld, customerNew, sourceNew }
  })
  await importCopyMap(rig.context, source, rows)
}
