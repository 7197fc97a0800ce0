import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import { inStage } from '../../src/catalog/subscribers.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import type { Catalog, DesiredSubscriber, Stage } from '../../src/catalog/types.ts'
import { digest } from '../../src/core/canonical.ts'
import { formatInstant, type Instant } from '../../src/core/instant.ts'
import { isJsonObject, type JsonObject } from '../../src/core/json.ts'
import type { Context } from '../../src/engine/context.ts'
import type { CopyMapRow } from '../../src/engine/ports.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import { pull } from '../../src/engine/pull.ts'
import { injectedFaults, setFaults, type FaultKind, type FaultPlan } from '../../src/sandbox/faults.ts'
import type { Unsure } from '../../src/sandbox/kernel/unsure.ts'
import { cloneSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { openStore, type OpenStore } from '../../src/store/open.ts'
import { projectYaml } from '../catalog/project.ts'
import { openRig, type Rig } from '../engine/rig.ts'
import { importCopy } from '../engine/school.ts'
import { Checkouts, type Checkout, type Machine } from './checkouts.ts'
import { accountOf, oldTown, type OldTown, type Person, type PriceName } from './people.ts'
import { connect, Service } from './service.ts'
import type { Mutation } from './mutations.ts'

/**
 * A revert bills an uncharged period, and pauses are carried: the two worlds then have no
 * difference.
 */
const policies =
  'policies: { uncharged_period: invoice, collection_paused: carry, pending_invoice_items: carry, customer_balance: carry }\n'

/** One subscriber of the story, in whichever account. */
export interface Member {
  readonly key: string
  readonly account: 'us' | 'intl'
  /** The old subscription, the same in both worlds. */
  readonly old: string
  readonly customer: string
  /** The price of the first item, in the old account. */
  readonly price: PriceName
}

/** A small school about to migrate, and its control run: the same school without a migration. */
export class BothWorlds implements AsyncDisposable {
  readonly members: Member[]
  readonly people: readonly Person[]
  readonly began: Instant
  readonly moved: Sandbox
  readonly controlRun: Sandbox
  readonly town: OldTown
  readonly service: Service
  /** By account and customer, as they were last seen. */
  readonly emails = new Map<string, string>()
  private readonly rig: Rig
  private store: OpenStore
  private files: ReadonlyMap<string, string>
  private catalog: Catalog
  private readonly stages = new Map<string, Stage>()
  private readonly overrides = new Map<string, readonly OverrideCode[]>()
  private readonly erased = new Set<string>()
  /** A price, a tax rate or a coupon means other terms than when members were moved. */
  termsEdited = false
  /** Another machine, or a store that was lost, may have given an offer in Kajabi. */
  grantsElsewhere = false
  /** Old customers whose lines of the copy map have each other's new ids. */
  readonly mixed = new Set<string>()
  /** Their lines in the file from Stripe. */
  private unmixed: readonly CopyMapRow[] = []
  private readonly faultCounts = new Map<FaultKind, number>()
  private readonly checkouts = new Checkouts()

  private constructor(made: {
    members: Member[]
    people: readonly Person[]
    town: OldTown
    controlRun: Sandbox
    rig: Rig
    store: OpenStore
    files: ReadonlyMap<string, string>
    catalog: Catalog
    service: Service
  }) {
    this.members = made.members
    this.people = made.people
    this.town = made.town
    this.moved = made.town.sandbox
    this.controlRun = made.controlRun
    this.rig = made.rig
    this.store = made.store
    this.files = made.files
    this.catalog = made.catalog
    this.service = made.service
    this.began = made.town.sandbox.clock()
  }

  static async open(
    people: readonly Person[],
    now: string,
    mutate: Mutation,
    unsure: Partial<Unsure> = {},
  ): Promise<BothWorlds> {
    const town = await oldTown(people, now)
    // Both worlds are the same possible Stripe from here on.
    town.sandbox.world.choose(unsure)
    const controlRun = cloneSandbox(town.sandbox)
    const project = new Map([['project.yaml', `${projectYaml}${policies}`]])
    const rig = await openRig(loaded(project), town.sandbox)
    const store = await openStore({ file: ':memory:' })
    const here: { worlds?: BothWorlds } = {}
    const files = await pulled({ ...rig.context, store }, project)
    const catalog = loaded(files)
    const context = (): Context & { store: OpenStore } => here.worlds?.context() ?? { ...rig.with(catalog), store }
    const service = await Service.open({ sandbox: town.sandbox, context, mutate }, offersOf(catalog, town))
    const members = people.map((person, index): Member => {
      const account = accountOf(person)
      const old = town.subscriptions[index] ?? ''
      return {
        key: `${account}/${old}`,
        account,
        old,
        customer: town.customers[index] ?? '',
        price: person.price ?? 'monthly',
      }
    })
    const worlds = new BothWorlds({ members, people, town, controlRun, rig, store, files, catalog, service })
    here.worlds = worlds
    for (const source of ['us', 'intl']) await importCopy({ ...rig, context: worlds.context() }, source)
    return worlds
  }

  now(): Instant {
    return this.moved.clock()
  }

  /** What the command line would open after an edit of the YAML. */
  context(): Context & { readonly store: OpenStore } {
    const { store, service } = this
    const access = { kajabi: service.kajabi, grants: store.inbox, offers: service.access }
    return { ...this.rig.with(this.edited()), store, access }
  }

  /** One of the machines, as it stands now. */
  async machine(where: Checkout): Promise<Machine> {
    if (where === 'laptop') return { context: this.context(), isAlone: false }
    this.grantsElsewhere = true
    const { moved: sandbox, store: laptop, service } = this
    return this.checkouts.machine(where, { sandbox, laptop, catalog: this.edited(), offers: service.access })
  }

  /** What the laptop's store knows of grants in Kajabi: `contact offer`. */
  async granted(): Promise<ReadonlySet<string>> {
    return new Set((await this.store.inbox.grants()).map(({ contact, offer }) => `${contact} ${offer}`))
  }

  keepCopy(): Promise<void> {
    return this.checkouts.keep(this.store)
  }

  /** A wrong entry beside the right ones; the next pull corrects it. */
  writeWrong(what: 'subscriber' | 'price'): void {
    const [path, text] =
      what === 'subscriber'
        ? [
            'subscribers/us/wrong.yaml',
            'subscribers:\n  sub_wrong: { items: [{ price: no-such-price, quantity: 1 }] }\n',
          ]
        : ['prices.yaml', `${this.files.get('prices.yaml') ?? ''}  wrong-price: { product: no-such-product }\n`]
    const { catalog } = loadCatalog(
      [...this.files, [path, text] as const].map((file) => ({ path: file[0], text: file[1] })),
      'entries',
    )
    if (catalog?.leftOut === undefined) throw new Error('the wrong entry is taken for a right one')
    this.catalog = catalog
  }

  /** A tax rate gets another percentage in the YAML, for those who subscribe from now on. */
  writeRate(): string | undefined {
    const text = this.files.get('tax-rates.yaml') ?? ''
    const [chosen] = text.matchAll(/^ {4}percentage: (\d+)$/gm)
    if (chosen === undefined || text.includes('on_change')) return undefined
    this.termsEdited = true
    const percentage = Number(chosen[1]) + 1
    const changed = `${text.slice(0, chosen.index)}    percentage: ${percentage}\n    on_change: new_only${text.slice(chosen.index + chosen[0].length)}`
    this.files = new Map([...this.files, ['tax-rates.yaml', changed]])
    this.catalog = loaded(this.files)
    return `${chosen[1]} becomes ${percentage}`
  }

  /** @returns the old customers whose new ids are exchanged; none with fewer than two. */
  async mixCopies(): Promise<readonly string[]> {
    const rows: CopyMapRow[] = []
    for await (const row of this.store.copyMap('us')) if (row.sourceOld !== '') rows.push(row)
    const [one] = rows
    const other = rows.find(({ customerOld }) => customerOld !== one?.customerOld)
    if (one === undefined || other === undefined || this.mixed.size > 0) return []
    const asOf = ({ customerNew, sourceNew }: CopyMapRow) => ({ customerNew, sourceNew })
    await this.store.putCopyMap([
      { ...one, ...asOf(other) },
      { ...other, ...asOf(one) },
    ])
    this.unmixed = [one, other]
    for (const { customerOld } of this.unmixed) this.mixed.add(customerOld)
    return [...this.mixed]
  }

  /** A price gets another amount in the YAML, for those who subscribe from now on. */
  writeAmount(number: number): string | undefined {
    const text = this.files.get('prices.yaml') ?? ''
    const all = [...text.matchAll(/^ {4}unit_amount: (\d+)$/gm)]
    const chosen = all[number % Math.max(1, all.length)]
    if (chosen === undefined || text.includes('on_change')) return undefined
    this.termsEdited = true
    const amount = Number(chosen[1]) + 500
    const changed = `${text.slice(0, chosen.index)}    unit_amount: ${amount}\n    on_change: new_only${text.slice(chosen.index + chosen[0].length)}`
    this.files = new Map([...this.files, ['prices.yaml', changed]])
    this.catalog = loaded(this.files)
    return `${chosen[1]} becomes ${amount}`
  }

  private edited(): Catalog {
    const subscribers = this.catalog.subscribers
      .filter(({ key }) => !this.erased.has(key))
      .map((one): DesiredSubscriber => {
        const override = this.overrides.get(one.key)
        return { ...inStage(one, this.stageOf(one.key)), ...(override === undefined ? {} : { override }) }
      })
    const written = subscribers.map(({ key, stage, override = [] }) => [key, stage, override])
    return { ...this.catalog, subscribers, digest: digest([this.catalog.digest, written]) }
  }

  stageOf(key: string): Stage {
    return this.stages.get(key) ?? 'source'
  }

  write(key: string, stage: Stage): void {
    this.stages.set(key, stage)
  }

  override(key: string, names: readonly OverrideCode[]): void {
    this.overrides.set(key, names)
  }

  overrideOf(key: string): readonly OverrideCode[] {
    return this.overrides.get(key) ?? []
  }

  erase(key: string): void {
    this.erased.add(key)
  }

  isDeclared(key: string): boolean {
    return !this.erased.has(key) && this.catalog.subscribers.some((one) => one.key === key)
  }

  declared(key: string): DesiredSubscriber | undefined {
    return this.erased.has(key) ? undefined : this.catalog.subscribers.find((one) => one.key === key)
  }

  /** Stripe copies again, the file is imported, and the accounts are pulled into the YAML. */
  async pullAgain(): Promise<void> {
    this.erased.clear()
    // A later copy need not repeat earlier lines, so the right file is imported again.
    if (this.mixed.size > 0) await importCopyMap(this.context(), 'us', this.unmixed)
    this.mixed.clear()
    for (const source of ['us', 'intl']) await importCopy({ ...this.rig, context: this.context() }, source)
    this.files = await pulled(
      this.context(),
      staged(this.files, (key) => this.stageOf(key)),
    )
    this.catalog = loaded(this.files)
    this.service.offer(offersOf(this.catalog, this.town))
  }

  async advance(to: Instant): Promise<void> {
    this.service.awake = true
    await this.rig.advance(to)
    this.service.awake = false
    await control(this.controlRun, 'clock', { to: formatInstant(to) })
  }

  /** An act of a member or an operator in one account of one world. */
  async act(world: 'moved' | 'controlRun', what: JsonObject): Promise<JsonObject> {
    const done = await control(world === 'moved' ? this.moved : this.controlRun, 'act', what)
    if (world === 'moved') await this.service.delivered()
    return done
  }

  faults(plan: FaultPlan | undefined): void {
    for (const { fault } of injectedFaults(this.moved.world))
      this.faultCounts.set(fault, (this.faultCounts.get(fault) ?? 0) + 1)
    setFaults(this.moved.world, plan)
  }

  injected(): ReadonlyMap<FaultKind, number> {
    return this.faultCounts
  }

  /** The store is lost and replaced by an empty one, into which only the copy map is imported. */
  async loseStore(): Promise<OpenStore> {
    const lost = this.store
    this.grantsElsewhere = true
    this.store = await openStore({ file: ':memory:' })
    for await (const row of lost.copyMap()) await this.store.putCopyMap([row])
    this.service.forget()
    return lost
  }

  /** A copy of this world with a copy of the store: what would have happened without a kill. */
  async fork(): Promise<{ readonly context: Context; readonly sandbox: Sandbox; close(): Promise<void> }> {
    const sandbox = cloneSandbox(this.moved)
    sandbox.world.deliver = undefined
    const rig = await openRig(this.edited(), sandbox)
    const store = await openStore({ file: ':memory:' })
    await store.putObjects(await this.store.objects())
    await store.putSubscribers(await this.store.subscribers())
    await store.inbox.putGrants(await this.store.inbox.grants())
    for await (const row of this.store.copyMap()) await store.putCopyMap([row])
    const access = { kajabi: connect(sandbox), grants: store.inbox, offers: this.service.access }
    return {
      context: { ...rig.context, store, access },
      sandbox,
      async close() {
        await store.close()
        await rig[Symbol.asyncDispose]()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close()
    await this.checkouts[Symbol.asyncDispose]()
    this.controlRun.close()
    await this.rig[Symbol.asyncDispose]()
  }
}

/** Releases the lease of the dead program, so that a new life may begin at once. */
export async function bury(context: Context): Promise<void> {
  await context.store.breakLease(applyLease)
}

async function pulled(context: Context, files: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
  const found = await pull(context, { files })
  return new Map([...files, ...found.files])
}

/** The YAML with the stages that people have set since the last pull. */
function staged(files: ReadonlyMap<string, string>, stageOf: (key: string) => Stage): ReadonlyMap<string, string> {
  return new Map(
    [...files].map(([path, text]) => {
      const source = /^subscribers\/(\w+)\//.exec(path)?.[1]
      if (source === undefined) return [path, text]
      const bare = text.replaceAll(/^ {4}stage: \w+\n/gm, '')
      return [
        path,
        bare.replaceAll(
          /^ {2}(sub_\w+):\n/gm,
          (line, id: string) => `${line}    stage: ${stageOf(`${source}/${id}`)}\n`,
        ),
      ]
    }),
  )
}

/** Keys of the catalog's prices by the offer that they give. */
function offersOf(catalog: Catalog, { prices: ids }: OldTown): Readonly<Record<string, readonly string[]>> {
  const course = new Set([...catalog.mappings.values()].flatMap(({ prices }) => prices[ids.course] ?? []))
  const extra = new Set([...catalog.mappings.values()].flatMap(({ prices }) => prices[ids.addon] ?? []))
  const all = catalog.resources.filter(({ kind, key }) => kind === 'price' && !extra.has(key)).map(({ key }) => key)
  return { membership: all.filter((key) => !course.has(key)), course: [...course] }
}

function loaded(files: ReadonlyMap<string, string>): Catalog {
  const { catalog, findings } = loadCatalog([...files].map(([path, text]) => ({ path, text })))
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

async function control(sandbox: Sandbox, name: string, body: JsonObject): Promise<JsonObject> {
  const request = { method: 'POST', body: JSON.stringify(body) }
  const answer = await sandbox.fetch(`https://sandbox/_sandbox/${name}`, request)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${name} ${JSON.stringify(body)}: ${text}`)
  const parsed: unknown = JSON.parse(text)
  return isJsonObject(parsed) ? parsed : {}
}
