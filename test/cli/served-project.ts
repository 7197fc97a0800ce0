import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { instant } from '../../src/core/instant.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { crossbill, type Ran } from './crossbill.ts'

const accounts = ['target', 'us', 'intl']
const keys = Object.fromEntries(accounts.map((name) => [`KEY_${name.toUpperCase()}`, `sk_test_sandbox_${name}`]))

export interface Member {
  readonly customer: string
  readonly subscription: string
  readonly card: string
}

/**
 * A project in its own folder on simulated accounts outside that folder, so that its store can be
 * lost.
 */
export interface ServedProject extends AsyncDisposable {
  readonly folder: string
  readonly sandbox: Sandbox
  stripe(account: string): Stripe
  run(...words: readonly string[]): Promise<Ran>
  /** The same command in another checkout: the files of `from`, without its store. */
  checkout(name?: string): ServedProject
  advance(to: string): Promise<void>
  copy(...sources: readonly string[]): Promise<void>
  price(account: string, amount: number, more?: Partial<Stripe.PriceCreateParams>): Promise<string>
  member(account: string, price: string, more?: Partial<Stripe.SubscriptionCreateParams>): Promise<Member>
  /** pull, the table of copied cards, the catalog applied. */
  ready(): Promise<void>
  /** Subscriber files by path. */
  waves(): ReadonlyMap<string, string>
  stage(to: string, only?: string): void
  edit(path: string, change: (text: string) => string): void
  loseStore(): void
  live(account: string, customer: string): Promise<readonly Stripe.Subscription[]>
}

export interface ServedOptions {
  readonly sources?: readonly string[]
  readonly project?: string
  /** More lines of project.yaml. */
  readonly lines?: readonly string[]
  readonly clock?: string
}

export async function servedProject(options: ServedOptions = {}): Promise<ServedProject> {
  const sandbox = createSandbox({
    accounts,
    clock: instant(Date.parse(options.clock ?? '2026-12-01T12:00:00Z') / 1_000),
  })
  const server = await serveSandbox(sandbox, { port: 0 })
  const folders: string[] = []
  const close = async (): Promise<void> => {
    await server.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
  return projectOn({ sandbox, url: server.url, folders, close }, options)
}

interface World {
  readonly sandbox: Sandbox
  readonly url: string
  readonly folders: string[]
  readonly close: () => Promise<void>
}

function projectOn(world: World, options: ServedOptions): ServedProject {
  const { sandbox, url } = world
  const { sources = ['us'], project = 'school', lines = [] } = options
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-served-'))
  world.folders.push(folder)
  mkdirSync(join(folder, 'catalog'))
  const account = (name: string): string =>
    `  ${name}: { key: { env: KEY_${name.toUpperCase()} }, account: ${sandbox.ready.accounts[name]?.id}, livemode: false, api_base: "${url}" }`
  const yaml = [`project: ${project}`, 'accounts:', ...['target', ...sources].map(account), ...lines, '']
  writeFileSync(join(folder, 'catalog/project.yaml'), yaml.join('\n'))
  let people = 0
  const stripe = (name: string): Stripe =>
    new Stripe(`sk_test_sandbox_${name}`, {
      httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
      maxNetworkRetries: 0,
    })
  const control = async (path: string, body: object): Promise<string> => {
    const response = await sandbox.fetch(`http://sandbox/_sandbox/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${text}`)
    return text
  }
  const served: ServedProject = {
    folder,
    sandbox,
    stripe,
    run: async (...words) => crossbill(words, folder, keys),
    checkout(name = project) {
      const other = projectOn(world, { ...options, project: name })
      if (name === project)
        for (const [path, text] of files(join(folder, 'catalog'))) {
          mkdirSync(join(other.folder, 'catalog', path, '..'), { recursive: true })
          writeFileSync(join(other.folder, 'catalog', path), text)
        }
      return other
    },
    advance: async (to) => void (await control('clock', { to })),
    async copy(...from) {
      for (const name of from.length === 0 ? sources : from)
        writeFileSync(join(folder, `${name}.csv`), await control('copy', { from: name, to: 'target' }))
    },
    async price(name, amount, more = {}) {
      const product = more.product ?? (await stripe(name).products.create({ name: `Membership ${amount}` })).id
      const params = {
        currency: 'usd',
        unit_amount: amount,
        recurring: { interval: 'month' as const },
        ...more,
        product,
      }
      return (await stripe(name).prices.create(params)).id
    },
    async member(name, price, more = {}) {
      people += 1
      const api = stripe(name)
      const customer = await api.customers.create({ email: `member${people}@example.com`, name: `Member ${people}` })
      const card = await api.paymentMethods.attach('pm_card_visa', { customer: customer.id })
      await api.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })
      const made = await api.subscriptions.create({ customer: customer.id, items: [{ price }], ...more })
      return { customer: customer.id, subscription: made.id, card: card.id }
    },
    async ready() {
      await served.copy()
      const csv = sources.map((name) => `${name}.csv`)
      for (const words of [['pull'], ['copy-map', 'import', ...csv], ['apply', '--yes']]) {
        const ran = await served.run(...words)
        if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.stdout}${ran.stderr}`)
      }
    },
    waves: () => new Map([...files(join(folder, 'catalog'))].filter(([path]) => path.startsWith('subscribers/'))),
    stage(to, only) {
      for (const [path, text] of served.waves())
        if (only === undefined) served.edit(path, () => text.replaceAll(/^( *stage): \w+$/gm, `$1: ${to}`))
        else if (text.includes(`  ${only}:\n`))
          served.edit(path, () =>
            text.replace(new RegExp(`(  ${only}:\\n)(    stage: \\w+\\n)?`), `$1    stage: ${to}\n`),
          )
    },
    edit(path, change) {
      const whole = join(folder, 'catalog', path)
      writeFileSync(whole, change(readFileSync(whole, 'utf8')))
    },
    loseStore: () => rmSync(join(folder, 'state'), { recursive: true, force: true }),
    async live(name, customer) {
      const all = await stripe(name).subscriptions.list({ customer, status: 'all' })
      return all.data.filter(({ status }) => !['canceled', 'incomplete_expired'].includes(status))
    },
    [Symbol.asyncDispose]: world.close,
  }
  return served
}

function* files(folder: string, below = ''): Iterable<[string, string]> {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) yield* files(folder, path)
    else yield [path, readFileSync(join(folder, path), 'utf8')]
  }
}

/** The paid charges of a moved member since the new year, oldest first: `target 4900`. */
export async function billedTo(project: ServedProject, { customer }: Member): Promise<readonly string[]> {
  const created = { gte: Date.parse('2027-01-02T00:00:00Z') / 1_000 }
  const found = await Promise.all(
    ['us', 'target'].map(async (account) =>
      (await project.stripe(account).charges.list({ customer, created })).data.map((one) => ({ account, ...one })),
    ),
  )
  return found
    .flat()
    .filter(({ paid }) => paid)
    .toSorted((a, b) => a.created - b.created)
    .map(({ account, amount }) => `${account} ${amount}`)
}
