import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heardEvents } from '../../src/catalog/service-endpoint.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { root } from '../house/sources.ts'
import { openRig, type Rig } from '../inbox/rig.ts'

export const hookSecret = 'ab'.repeat(16)
const linkSecret = Buffer.alloc(32, 7).toString('base64')
export const relaySecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`

/**
 * The sandbox as a separate server, a project that uses it, and `crossbill serve` as processes that
 * can be killed.
 */
export interface Town {
  readonly rig: Rig
  readonly folder: string
  /** The environment of the project's processes and commands. */
  readonly env: Readonly<Record<string, string>>
  /** From now on these answer with 503 pages. */
  readonly down: { stripe: boolean; kajabi: boolean }
  /** The share of requests to Stripe and Kajabi that fail, before or after they are carried out. */
  readonly faults: { share: number; readonly met: { before: number; after: number } }
  /**
   * The address on which a process of the service listens. Concurrent processes have their own
   * ports.
   */
  readonly ports: readonly number[]
  /** The output of all processes. */
  readonly output: () => string
  serve(which?: number, more?: Readonly<Record<string, string>>): Promise<Process>
  /** Adds the cancel tag in Kajabi, which then calls the service's hook. */
  tag(contact: string): Promise<void>
  close(): Promise<void>
}

export interface Process {
  readonly child: ChildProcess
  readonly adminUrl: string
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>
}

export interface TownOptions {
  readonly processes?: number
  /** `store:` of project.yaml; a file in the project by default. */
  readonly store?: { yaml: string; env: Record<string, string>; options: { file: string } | { url: string } }
  readonly cancelsPerHour?: number
}

export async function openTown({ processes = 1, store, cancelsPerHour = 100_000 }: TownOptions = {}): Promise<Town> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-serve-'))
  const file = join(folder, 'state/crossbill.db')
  const rig = await openRig({ store: store?.options ?? { file }, deliver: globalThis.fetch })
  const down = { stripe: false, kajabi: false }
  const faults = { share: 0, met: { before: 0, after: 0 } }
  const world: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    const out = (down.kajabi && pathname.startsWith('/kajabi/')) || (down.stripe && pathname.startsWith('/v1/'))
    const fault = Math.random() < faults.share ? (Math.random() < 0.5 ? 'before' : 'after') : undefined
    if (fault !== undefined) faults.met[fault]++
    if (!out && fault === 'after') await rig.sandbox.fetch(input, init)
    const fails = out || fault !== undefined
    return fails ? new Response('<html>down</html>', { status: 503 }) : rig.sandbox.fetch(input, init)
  }
  const sandbox = await serveSandbox({ ...rig.sandbox, fetch: world }, { port: 0 })
  const clock = runningClock(rig)
  const ports = await Promise.all(Array.from({ length: processes }, freePort))
  const { accounts, kajabi } = rig.sandbox.ready
  const account = (name: string): string =>
    `{ key: { env: KEY_${name.toUpperCase()} }, account: ${accounts[name]?.id}, livemode: false, api_base: "${sandbox.url}" }`
  mkdirSync(join(folder, 'catalog'))
  writeFileSync(
    join(folder, 'catalog/project.yaml'),
    `project: school
accounts:
  target: ${account('target')}
  us: ${account('us')}
store: ${store?.yaml ?? '{ file: state/crossbill.db }'}
kajabi: { site: "${kajabi.site}", client_id: { env: KAJABI_ID }, client_secret: { env: KAJABI_SECRET }, api_base: "${sandbox.url}${kajabi.api_base}", requests_per_second: 1000 }
serve:
  public_url: http://127.0.0.1:${ports[0]}
  hook_secrets: [{ env: HOOK_SECRET }]
  link_secrets: [{ env: LINK_SECRET }]
  relay_secrets: [{ env: RELAY_SECRET }]
  poll_seconds: 1
  stripe_webhook_secrets: { target: { env: STRIPE_TARGET }, us: { env: STRIPE_US } }
  cancels_per_hour: ${cancelsPerHour}
`,
  )
  writeFileSync(join(folder, 'catalog/products.yaml'), 'products:\n  membership: { name: Formulation Membership }\n')
  writeFileSync(
    join(folder, 'catalog/prices.yaml'),
    'prices:\n  membership: { product: membership, currency: usd, unit_amount: 4900, recurring: { interval: month }, tax_behavior: exclusive }\n',
  )
  writeFileSync(
    join(folder, 'catalog/access.yaml'),
    `offers:\n  membership: { kajabi: "${rig.access.offers['membership']?.kajabi}", prices: [membership], cancel_tags: ["${rig.tag}"] }\n`,
  )
  const signing = async (name: string): Promise<string> => {
    const url = `http://127.0.0.1:${ports[0]}/stripe/webhooks/${name}`
    const events = heardEvents[name === 'target' ? 'target' : 'source']
    const made = await rig.stripe(name).webhookEndpoints.create({ url, enabled_events: [...events] })
    return made.secret ?? ''
  }
  const env = {
    STRIPE_TARGET: await signing('target'),
    STRIPE_US: await signing('us'),
    ...store?.env,
    PATH: process.env['PATH'] ?? '',
    KEY_TARGET: accounts['target']?.key ?? '',
    KEY_US: accounts['us']?.key ?? '',
    KAJABI_ID: kajabi.client_id,
    KAJABI_SECRET: kajabi.client_secret,
    HOOK_SECRET: hookSecret,
    LINK_SECRET: linkSecret,
    RELAY_SECRET: relaySecret,
  }
  let written = ''
  const running = new Set<ChildProcess>()
  for (const port of ports) {
    const made = await rig.kajabi.createHook({
      url: `http://127.0.0.1:${port}/kajabi/hooks/${hookSecret}`,
      event: 'tag_added',
      resource: rig.tag,
    })
    if (!made.ok) throw new Error(made.failure.message)
  }
  return {
    rig,
    folder,
    env,
    down,
    faults,
    ports,
    output: () => written,
    async serve(which = 0, more = {}) {
      const words = ['serve', '--format', 'json', '--port', String(ports[which]), '--admin-port', '0']
      const child = spawn(process.execPath, [join(root, 'src/bin/crossbill.js'), ...words], {
        cwd: folder,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      running.add(child)
      const exited = once(child, 'exit').then(([code]) => {
        running.delete(child)
        return code as number | null
      })
      child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()))
      const line = await Promise.race([firstLine(child), exited.then((code) => `ended with ${code}`)])
      written += `${line}\n`
      if (!line.startsWith('{')) throw new Error(`serve did not start (${line}):\n${written}`)
      const { admin_url: adminUrl } = JSON.parse(line) as { admin_url: string }
      return {
        child,
        adminUrl,
        async kill(signal) {
          child.kill(signal)
          return exited
        },
      }
    },
    async tag(contact) {
      await rig.act({ act: 'add_tag', contact, tag: rig.tag })
    },
    async close() {
      for (const child of running) child.kill('SIGKILL')
      clearInterval(clock)
      await sandbox.close()
      await rig.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Stripe's clock runs. The service tells the time by Stripe's answers: with a clock that stands
 * still, each answer would set it back, and neither a lease nor a wait before a retry would end.
 */
function runningClock(rig: Rig): NodeJS.Timeout {
  const [began, from] = [performance.now(), rig.sandbox.clock()]
  return setInterval(() => {
    const seconds = Math.floor(from + (performance.now() - began) / 1_000) - rig.sandbox.clock()
    if (seconds > 0) void rig.advance(seconds)
  }, 500).unref()
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** Waits until a condition is true. The error on giving up names the condition. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
