import type { KeylessStep, KnownObject, ResourcesPlan } from '../../src/plan/resources/types.ts'
import type Stripe from 'stripe'
import { assert } from '../../src/core/assert.ts'
import { instant } from '../../src/core/instant.ts'
import { splitAddress } from '../../src/core/address.ts'
import { kindNamed } from '../../src/kinds/registry.ts'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../../src/core/json.ts'
import type { Catalog, LeftOutEntry } from '../../src/catalog/types.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { readResources } from '../../src/engine/read/resources.ts'
import type { Keyless } from '../../src/plan/change.ts'
import { referencesInPath } from '../../src/plan/references.ts'
import { unfinished } from '../../src/plan/resources/change.ts'
import { planResources } from '../../src/plan/resources/plan.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { load } from '../catalog/project.ts'

/**
 * A target account in a sandbox with a simple executor, which works as the engine does but without
 * journal and recovery.
 */
export class Target {
  readonly account: StripeAccount
  known: readonly KnownObject[] = []
  /** The written secrets by sink. */
  readonly secrets: string[] = []
  /** Every request that was sent: `POST /v1/prices`. */
  readonly sent: string[] = []
  /** The subscriptions of each price. */
  subscriptions: readonly Stripe.Subscription[] = []
  /** Replaces the live objects that a plan sees. */
  seen: ReadonlyMap<string, readonly StripeObject[]> | undefined
  /** Addresses under `removed:` whose objects a journal would show as retired. */
  retired: ReadonlySet<string> = new Set()
  #keys = 0

  constructor(account: StripeAccount) {
    this.account = account
  }

  static async open(): Promise<Target> {
    const sandbox = createSandbox()
    return new Target(await connectAccount({ name: 'target', key: 'sk_test_sandbox_target', fetch: sandbox.fetch }))
  }

  async list(path: string, params: JsonObject = {}): Promise<StripeObject[]> {
    const all: StripeObject[] = []
    for await (const one of this.account.list(path, params)) all.push(one)
    return all
  }

  async live(): Promise<ReadonlyMap<string, readonly StripeObject[]>> {
    return readResources(this.account)
  }

  async readSubscriptions(): Promise<void> {
    this.subscriptions = (await this.list('/v1/subscriptions', { status: 'all' })) as unknown as Stripe.Subscription[]
  }

  async plan(
    catalog: Catalog,
    options: {
      needed?: readonly string[]
      mapped?: Readonly<Record<string, string>>
      leftOut?: readonly LeftOutEntry[]
    } = {},
  ): Promise<ResourcesPlan> {
    // What the YAML no longer declares is retired here, as with `--allow removed_from_yaml`.
    const plan = planResources({
      project: catalog.project.name,
      now: instant(this.account.now()),
      desired: catalog.resources,
      live: this.seen ?? (await this.live()),
      known: this.known,
      subscriptions: this.subscriptions,
      mapped: new Map(Object.entries(options.mapped ?? {})),
      needed: new Set(options.needed),
      ...(options.leftOut === undefined ? {} : { leftOut: options.leftOut }),
      removed: catalog.removed,
      retired: this.retired,
      moved: catalog.moved,
      ...(catalog.places === undefined ? {} : { places: catalog.places }),
    })
    return { ...plan, changes: [...plan.changes, ...plan.removals] }
  }

  /**
   * Applies the plan as the engine would, step by step in the given order. `stopAfter` simulates a
   * crash after that many steps.
   */
  async apply(plan: ResourcesPlan, stopAfter = Infinity): Promise<void> {
    const ids = new Map(plan.ids)
    const applied = new Map<string, string | null>(plan.forms)
    for (const { address } of plan.changes)
      applied.set(address, this.known.find((one) => one.address === address)?.applied ?? null)
    let before = this.known
    const remember = (): void => {
      const now = [...ids].map(([address, id]) => ({ address, id, applied: applied.get(address) ?? null }))
      this.known = [...before.filter(({ address }) => !ids.has(address)), ...now]
    }
    const others = new Set(
      plan.changes.flatMap(({ address, steps }) =>
        steps.flatMap(({ path }) => referencesInPath(path)).filter((one) => one !== address),
      ),
    )
    let done = 0
    for (const change of [...plan.changes, ...plan.closing])
      for (const step of change.steps) {
        if (done++ >= stopAfter) return
        await this.#run(change, step, ids)
        // The store forgets what is retired.
        const isRecord = ({ address, id }: KnownObject): boolean =>
          change.action === 'retire' && address === change.address && step.path.includes(id)
        before = before.filter((one) => !isRecord(one))
        const isWhole = step === change.steps.at(-1) && !others.has(change.address)
        if (change.expect.applied !== undefined)
          applied.set(change.address, isWhole ? change.expect.applied : unfinished)
        remember()
      }
    for (const [address, form] of plan.forms) if (applied.get(address) === unfinished) applied.set(address, form)
    remember()
  }

  /** Records what the accounts show after an apply, as its proof does. */
  note({ ids, forms }: ResourcesPlan): void {
    const now = [...ids].map(([address, id]) => ({ address, id, applied: forms.get(address) ?? null }))
    this.known = [...this.known.filter(({ address }) => !ids.has(address)), ...now]
  }

  async #run(change: Keyless, step: KeylessStep, ids: Map<string, string>): Promise<void> {
    const path = step.path.replaceAll(
      /\{([^}]+)\}/g,
      (_all, address: string) => ids.get(address) ?? `unknown ${address}`,
    )
    const answer = await this.send(step.method, path, resolve(step.params, ids) as JsonObject).catch(
      (error: unknown) => {
        // Deleting an object that is already gone is a success.
        if (step.method === 'DELETE' && String(error).includes('No such')) return undefined
        throw error
      },
    )
    if (answer === undefined) return
    if (step.id === 'create') {
      ids.set(change.address, answer.id ?? '')
      if (step.secret_to !== undefined)
        this.secrets.push(
          String((kindNamed(splitAddress(change.address).kind)?.secretIn?.(answer) ?? answer['secret']) as string),
        )
    }
    // A coupon that an earlier run created is used again.
    const changes = !/^(?:retire|unmark):/.test(step.id)
    if (changes && change.action === 'replace' && !change.steps.some(({ id }) => id === 'create'))
      ids.set(change.address, answer.id ?? '')
  }

  async send(method: 'POST' | 'DELETE', path: string, params: JsonObject = {}): Promise<StripeObject> {
    this.sent.push(`${method} ${path}`)
    const key = method === 'POST' ? { idempotencyKey: `test-${this.#keys++}` } : {}
    const outcome = await this.account.send({ method, path, params, ...key })
    if (!outcome.ok) throw new Error(`${method} ${path} ${JSON.stringify(params)}: ${outcome.failure.message}`)
    return outcome.value
  }
}

function resolve(value: Json | undefined, ids: ReadonlyMap<string, string>): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => resolve(one, ids) ?? null)
  if (!isJsonObject(value)) return value
  const ref = value['$ref']
  if (typeof ref === 'string') {
    const id = ids.get(ref)
    assert(id !== undefined, `${ref} is not made yet`)
    return id
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, ids)]))
}

/** A catalog with only these sections. Throws with the findings when it is invalid. */
export function catalogOf(sections: string): Catalog {
  const loaded = load({ 'products.yaml': '', 'prices.yaml': '', 'all.yaml': sections })
  if (loaded.catalog === undefined) throw new Error(JSON.stringify(loaded.findings, null, 2))
  return loaded.catalog
}

/** The changes of a plan as lines: `create price.a (declared)`. */
export function lines(plan: ResourcesPlan): readonly string[] {
  return [
    ...plan.changes.map(({ action, address, because }) => `${action} ${address} (${because.join(', ')})`),
    ...plan.closing.map(({ action, address, because }) => `afterwards ${action} ${address} (${because.join(', ')})`),
    ...plan.drift.map(({ address, code }) => `drift ${address} (${code})`),
    ...plan.blocked.map(({ address, code }) => `blocked ${address} (${code})`),
  ]
}
