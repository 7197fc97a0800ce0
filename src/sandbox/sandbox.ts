// An embedded Stripe and Kajabi with their own clock: the judge of all tests. It shares no code
// with what it judges.
import { formatInstant, instant, parseInstant, type Instant } from '../core/instant.ts'
import { present } from '../core/assert.ts'
import { copyCustomers } from './copy.ts'
import { type FaultPlan, setFaults, withFaults } from './faults.ts'
import type { AccountSettings } from './kernel/account.ts'
import { type KajabiReady, kajabiReady } from './kajabi/module.ts'
import { answerControl } from './kernel/control.ts'
import type { RateLimits } from './kernel/limits.ts'
import type { HttpAnswer, HttpRequest } from './kernel/module.ts'
import { Router } from './kernel/router.ts'
import { textResponse } from './kernel/text-response.ts'
import type { Unsure } from './kernel/unsure.ts'
import { World, type WorldStorage } from './kernel/world.ts'
import { modules } from './modules.ts'
import { buildSchool, historySeconds } from './population/school.ts'

export type { WorldStorage } from './kernel/world.ts'

export interface SandboxOptions {
  /** The instant at which the simulated clock begins; default 2026-12-01T12:00:00Z. */
  readonly clock?: Instant
  /** Determines ids and random draws; default 1. */
  readonly seed?: number
  /** Default `us`, `intl`, `target`. */
  readonly accounts?: readonly string[]
  readonly livemode?: boolean
  /**
   * How failed payments are retried and what happens after the last retry, for all accounts.
   * Default: `intl` leaves a subscription unpaid, the other accounts cancel it.
   */
  readonly dunning?: AccountSettings['dunning']
  /** Fills the old accounts and the Kajabi site of a new world; a stored world stays as it is. */
  readonly population?: Population
  /** Sources whose customers were copied to `target` before the world begins. */
  readonly copied?: readonly string[]
  /**
   * Readings that differ from the default where Stripe's documents leave something open:
   * `kernel/unsure.ts`.
   */
  readonly unsure?: Partial<Unsure>
  /**
   * Refuse requests that name another API version. Default: answer them in the sandbox's version,
   * with a warning header.
   */
  readonly strictVersion?: boolean
  /** Rows are loaded from it; every committed request is saved to it before the answer. */
  readonly storage?: WorldStorage
  /** False: events are neither kept nor delivered unless an endpoint listens. */
  readonly keepEvents?: boolean
  /** Sends webhooks. Default: they are not sent (the server sends them with the global fetch). */
  readonly deliver?: typeof globalThis.fetch
  readonly faults?: FaultPlan
  /** Rate limits in real time; default: none. Stripe: live 100 and 25, test 25 and 25. */
  readonly limits?: RateLimits
}

export interface Population {
  readonly name: 'school'
  readonly subscribers: number
  /** Forgotten payment links of the old accounts continue to sell. Default false. */
  readonly surprises?: boolean
}

export interface Sandbox {
  /** Stripe at /v1/*, Kajabi at /kajabi/*, controls at /_sandbox/*; any host. */
  readonly fetch: typeof globalThis.fetch
  readonly clock: () => Instant
  readonly ready: {
    readonly clock: string
    readonly accounts: Readonly<
      Record<string, { readonly id: string; readonly key: string; readonly long_key: string }>
    >
    readonly kajabi: KajabiReady
  }
  readonly world: World
  close(): void
}

const begin = present(parseInstant('2026-12-01T12:00:00Z'), 'the default clock')

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const clock = options.clock ?? begin
  const { population } = options
  const dawn = population === undefined ? clock : instant(clock - historySeconds)
  const world = new World({
    clock: dawn,
    seed: options.seed ?? 1,
    livemode: options.livemode ?? false,
    accounts: (options.accounts ?? ['us', 'intl', 'target']).map((name) => ({
      name,
      settings: { ...settingsOf(name), ...(options.dunning === undefined ? {} : { dunning: options.dunning }) },
    })),
    modules,
    unsure: options.unsure,
    populate: (begun) => {
      if (population !== undefined) buildSchool(begun, { ...population, clock })
      for (const from of options.copied ?? []) copyCustomers(begun, { from, to: 'target' })
    },
    ...(options.storage === undefined ? {} : { storage: options.storage }),
    ...(options.keepEvents === undefined ? {} : { keepEvents: options.keepEvents }),
    ...(options.deliver === undefined ? {} : { deliver: options.deliver }),
  })
  setFaults(world, options.faults)
  world.limits = options.limits
  world.strictVersion = options.strictVersion ?? false
  return sandboxOf(world)
}

/**
 * A second sandbox with the same rows and clock. The two do not affect each other. Faults are not
 * copied.
 */
export function cloneSandbox(sandbox: Sandbox): Sandbox {
  return sandboxOf(sandbox.world.copy())
}

function sandboxOf(world: World): Sandbox {
  const router = new Router(world)
  world.perform = (request) => router.answerNow(request)
  return {
    world,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const read: HttpRequest = {
        method: request.method,
        url: new URL(request.url),
        headers: request.headers,
        body: await request.text(),
      }
      const answer = await withFaults(world, read, (delay) => dispatch(world, router, { request: read, delay }))
      const { status, headers } = answer
      return status === 204 ? new Response(null, { status, headers }) : textResponse(answer.body, { status, headers })
    },
    clock: () => world.now,
    get ready() {
      const accounts = [...world.accounts].map(
        ([name, { accountId, key, longKey }]) => [name, { id: accountId, key, long_key: longKey }] as const,
      )
      return { clock: formatInstant(world.now), accounts: Object.fromEntries(accounts), kajabi: kajabiReady(world) }
    },
    close: () => world.commit(),
  }
}

/** A slow request waits before it is executed; meanwhile its idempotency key is in use. */
async function dispatch(
  world: World,
  router: Router,
  about: { request: HttpRequest; delay: (() => Promise<void>) | undefined },
): Promise<HttpAnswer> {
  const { request, delay } = about
  const { pathname } = request.url
  if (pathname.startsWith('/_sandbox/')) return answerControl(world, request)
  for (const module of world.modules)
    for (const [prefix, handle] of Object.entries(module.mounts ?? {}))
      if (pathname.startsWith(prefix)) {
        await delay?.()
        return handle(world, request)
      }
  return router.answer(request, delay)
}

/** Settings of the accounts: `intl` is a British business, all others are American. */
function settingsOf(name: string): AccountSettings {
  const abroad = name === 'intl'
  return {
    country: abroad ? 'GB' : 'US',
    default_currency: abroad ? 'gbp' : 'usd',
    name: `Sandbox School (${name})`,
    dunning: { retry_days: [3, 5, 7], finally: abroad ? 'unpaid' : 'cancel' },
    draft_seconds: 3_600,
    tax_registrations: abroad ? ['GB', 'DE', 'FR'] : ['US', 'GB', 'DE', 'FR'],
  }
}
