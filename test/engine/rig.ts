import type { Catalog } from '../../src/catalog/types.ts'
import { instant, type Instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { apply, type ApplyOptions, type ApplyResult } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import type { InboxStore } from '../../src/engine/inbox/port.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { type Boundary, Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import type { Accounts, Params, StripeAccount } from '../../src/engine/ports.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import type { Plan } from '../../src/plan/types.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { openStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'

/** A simulated world with a store in memory, and the engine's context over both. */
export interface Rig extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly context: Context
  /** The cancel service's part of the store. */
  readonly inbox: InboxStore
  /** The written secrets, by the sink's JSON. */
  readonly secrets: Map<string, string>
  readonly notes: string[]
  /** Every write request that reached an account: `target POST /v1/prices`. */
  readonly sent: string[]
  /** Every list and every object that was read: `us /v1/invoices sub_…`. */
  readonly read: string[]
  with(catalog: Catalog): Context
  advance(to: Instant): Promise<void>
}

let runs = 0

/** Waiting changes nothing in a simulated world. */
const atOnce = { milliseconds: () => performance.now(), sleep: async () => {} }

export async function openRig(catalog: Catalog, world: SandboxOptions | Sandbox = {}): Promise<Rig> {
  const sandbox = 'world' in world ? world : createSandbox(world)
  const store = await openStore({ file: ':memory:' })
  const sent: string[] = []
  const read: string[] = []
  const noteRead = (name: string, path: string, { subscription }: Params = {}): void =>
    void read.push(`${name} ${path}${typeof subscription === 'string' ? ` ${subscription}` : ''}`)
  const connect = async (name: string): Promise<StripeAccount> => {
    const account = await connectAccount({
      name,
      key: `sk_test_sandbox_${name}`,
      fetch: sandbox.fetch,
      timing: atOnce,
      clock: () => sandbox.clock() * 1_000,
    })
    return {
      ...account,
      list(path, params) {
        noteRead(name, path, params)
        return account.list(path, params)
      },
      retrieve(path, params) {
        noteRead(name, path)
        return account.retrieve(path, params)
      },
      send(request) {
        const reads = request.method === 'GET' || request.path.endsWith('/create_preview')
        if (!reads) sent.push(`${name} ${request.method} ${request.path}`)
        return account.send(request)
      },
    }
  }
  const accounts: Accounts = {
    target: await connect('target'),
    sources: new Map([
      ['us', await connect('us')],
      ['intl', await connect('intl')],
    ]),
  }
  const secrets = new Map<string, string>()
  const notes: string[] = []
  const context: Context = {
    accounts,
    store,
    catalog,
    progress: { start() {}, step() {}, note: (text) => void notes.push(text), done() {} },
    interrupt: { requested: false },
    sink: {
      async write(sink: JsonObject, secret: string) {
        secrets.set(JSON.stringify(sink), secret)
      },
      async keepPrevious(sink: JsonObject) {
        const current = secrets.get(JSON.stringify(sink))
        if (current === undefined) return undefined
        secrets.set('previous', current)
        return 'previous'
      },
    },
    tool: 'crossbill test',
    run: `run-${++runs}`,
    wait: async () => {},
  }
  return {
    sandbox,
    context,
    inbox: store.inbox,
    secrets,
    notes,
    sent,
    read,
    with: (other) => ({ ...context, catalog: other, run: `run-${++runs}` }),
    async advance(to) {
      const body = JSON.stringify({ to: new Date(to * 1_000).toISOString() })
      await sandbox.fetch('https://sandbox/_sandbox/clock', { method: 'POST', body })
      // Accounts read the time from answers.
      for (const account of [accounts.target, ...accounts.sources.values()])
        await account.send({ method: 'GET', path: '/v1/account' })
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      sandbox.close()
    },
  }
}

/** Makes a plan and applies it. */
export async function planAndApply(
  context: Context,
  options: ApplyOptions = {},
): Promise<{ readonly plan: Plan; readonly result: ApplyResult }> {
  const plan = await makePlan(context)
  return { plan, result: await apply(context, plan, options) }
}

/**
 * Runs `work` with one death at the given boundary. True when it died; in every state that it
 * leaves, there are no two payers.
 */
export async function dieAt(
  context: Context,
  { request, side }: Boundary,
  work: (living: Context) => Promise<unknown>,
): Promise<boolean> {
  const life = mortal(context, (at) => at.request === request && at.side === side)
  try {
    await work(life.context)
    return false
  } catch (error) {
    if (!(error instanceof Killed)) throw error
    await context.store.breakLease(applyLease)
    const { violations } = await verify(context)
    const double = violations.filter(({ code }) => code === 'double_payer')
    if (double.length > 0)
      throw new Error(`killed ${side} request ${request}: ${JSON.stringify(double)}`, { cause: error })
    return true
  }
}

/** Every boundary of a run with that number of requests. */
export async function elsewhere(context: Context): Promise<Context> {
  const store = await openStore({ file: ':memory:' })
  const rows = []
  for await (const { importedAt: _at, ...row } of context.store.copyMap('us')) rows.push(row)
  const other = { ...context, store, run: `${context.run}-elsewhere` }
  await importCopyMap(other, 'us', rows)
  return other
}

export function boundaries(requests: number): readonly Boundary[] {
  return Array.from({ length: requests }, (_, request) => [
    { request, side: 'before' as const },
    { request, side: 'after' as const },
  ]).flat()
}

export function told({ request, side }: Boundary): string {
  return `killed ${side} request ${request}`
}

export function at(iso: string): Instant {
  return instant(Date.parse(iso) / 1_000)
}
