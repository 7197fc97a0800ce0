import { inStage } from '../../src/catalog/subscribers.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import type { Catalog, DesiredSubscriber, Stage } from '../../src/catalog/types.ts'
import { digest } from '../../src/core/canonical.ts'
import { formatInstant, instant, type Instant } from '../../src/core/instant.ts'
import { compareCharges, type WorldCharge } from '../../src/engine/rehearse/compare-charges.ts'
import type { Context } from '../../src/engine/context.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import { pull } from '../../src/engine/pull.ts'
import { markFrom } from '../../src/live/marks.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { charges, subscriptions } from '../../src/sandbox/stripe/billing/rows.ts'
import { projectYaml } from '../catalog/project.ts'
import { at, openRig, type Rig } from './rig.ts'

/**
 * Old accounts, pulled into a catalog, with their customers copied to the target, and a control run
 * without a migration.
 */
export interface School extends AsyncDisposable {
  readonly rig: Rig
  readonly controlRun: Sandbox
  readonly catalog: Catalog
  /** The YAML as pulled, by path below catalog/. */
  readonly files: ReadonlyMap<string, string>
  readonly notes: readonly string[]
  stage(stage: Stage | ((one: DesiredSubscriber) => Stage)): Context
  /** Advances both worlds. */
  advance(to: string | Instant): Promise<void>
  /**
   * Since the pull: charges that only one of the worlds made, compared to the second and the cent.
   */
  differences(): readonly string[]
  /** Successful charges since the pull in any account, less refunds. */
  charges(): readonly WorldCharge[]
}

/** The school of the sandbox, with all its oddities. */
export async function openSchool(subscribers: number, seed = 1, policies = ''): Promise<School> {
  const clock = at('2026-12-01T12:00:00Z')
  return openPulled(createSandbox({ clock, seed, population: { name: 'school', subscribers } }), policies)
}

/** Everything in the accounts of this sandbox, pulled as it is. */
export async function openPulled(sandbox: Sandbox, policies = ''): Promise<School> {
  const began = sandbox.clock()
  const files = new Map([['project.yaml', `${projectYaml}${policies}`]])
  const rig = await openRig(loaded(files), sandbox)
  const pulled = await pull(rig.context, { files })
  for (const [path, text] of pulled.files) files.set(path, text)
  const catalog = loaded(files)
  const controlRun = cloneSandbox(sandbox)
  for (const source of ['us', 'intl']) await importCopy(rig, source)
  const since = (world: Sandbox, names: ReadonlyMap<string, string>): readonly WorldCharge[] =>
    chargesSince(world, names, began)
  return {
    rig,
    controlRun,
    catalog,
    files,
    notes: pulled.notes,
    stage(stage) {
      const staged = catalog.subscribers.map((one) => inStage(one, typeof stage === 'string' ? stage : stage(one)))
      const stages = staged.map((one) => one.stage)
      return rig.with({ ...catalog, subscribers: staged, digest: digest([catalog.digest, stages]) })
    },
    async advance(to) {
      const when = typeof to === 'string' ? at(to) : to
      await rig.advance(when)
      const body = JSON.stringify({ to: formatInstant(when) })
      await controlRun.fetch('https://sandbox/_sandbox/clock', { method: 'POST', body })
    },
    differences: () =>
      compareCharges(since(controlRun, new Map()), since(sandbox, successorsIn(sandbox))).map(
        ({ code, subscriber, at: when, detail }) => `${code} ${subscriber} ${formatInstant(when)} ${detail}`,
      ),
    charges: () => since(sandbox, successorsIn(sandbox)),
    async [Symbol.asyncDispose]() {
      controlRun.close()
      await rig[Symbol.asyncDispose]()
    },
  }
}

/** The subscriber of each subscription in the target, from its mark. */
function successorsIn({ world }: Sandbox): ReadonlyMap<string, string> {
  const rows = world.accounts.get('target')?.table(subscriptions).all() ?? []
  return new Map([...rows].map(({ id, metadata }) => [id, metadata[markFrom] ?? `target/${id}`]))
}

function chargesSince({ world }: Sandbox, names: ReadonlyMap<string, string>, began: Instant): readonly WorldCharge[] {
  return [...world.accounts]
    .flatMap(([account, tables]) =>
      [...tables.table(charges).all()].map(({ subscription, customer, amount_refunded: back, ...charge }) => ({
        subscriber: names.get(subscription ?? '') ?? `${account}/${subscription ?? customer}`,
        account,
        at: instant(charge.created),
        // A refunded charge was not paid.
        amount: charge.status === 'succeeded' ? charge.amount - back : 0,
        currency: charge.currency,
      })),
    )
    .filter((charge) => charge.at > began && charge.amount > 0)
    .toSorted((a, b) => a.at - b.at)
}

export function loaded(files: ReadonlyMap<string, string>): Catalog {
  const { catalog, findings } = loadCatalog([...files].map(([path, text]) => ({ path, text })))
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

/** Makes Stripe's copy of one source's customers and imports its copy map. */
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
