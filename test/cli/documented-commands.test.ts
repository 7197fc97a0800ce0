import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { parse } from 'yaml'
import { root } from '../house/sources.ts'
import { commandLines, words } from './command-lines.ts'
import { crossbill } from './crossbill.ts'
import { inWorld } from './project-world.ts'

/** Why a documented command is not run here, and which test runs it instead. */
const reasons = {
  forge: 'needs a forge: test/forge, test/cli/golden (init --ci)',
  stays: 'runs until it is stopped: test/serve, test/cli/sandbox.test.ts',
  account: 'asks an account over HTTP: test/conformance, test/cli/confirmed.test.ts',
  bare: 'a name in a sentence: the command is documented with its arguments elsewhere',
  months: 'plays many months: the same command with three months is run here, with faults in test/engine',
  demo: 'runs for a minute: test/cli/demo.test.ts',
  asks: 'asks its questions on a terminal: test/cli/terminal.test.ts',
  tour: 'a step of the tour: test/cli/readme.test.ts runs it where its story needs it',
  dead: 'needs a dead letter: test/cli/inbox.test.ts',
  kajabi: 'needs hooks at a site: test/kajabi',
  empty: 'needs an empty store: test/store, test/files',
  overlap: 'is refused until the overlap of three days is over: test/engine/rotate.test.ts',
  writes: 'writes into this checkout: test/cli/schema.test.ts compares the result',
} as const

const notRun: Readonly<Record<string, keyof typeof reasons>> = {
  'crossbill COMMAND --help': 'bare',
  'crossbill cancel': 'bare',
  'crossbill cancel SUBSCRIPTION': 'bare',
  'crossbill cancel-link': 'bare',
  'crossbill card-link': 'bare',
  'crossbill completion': 'bare',
  'crossbill copy-map import': 'bare',
  'crossbill explain': 'bare',
  'crossbill card-link --mail': 'bare',
  'crossbill ci apply': 'forge',
  'crossbill ci night': 'forge',
  'crossbill ci plan': 'forge',
  'crossbill init --ci github': 'forge',
  'crossbill confirm': 'account',
  'crossbill confirm --format json': 'account',
  'crossbill confirm --url http://127.0.0.1:4242': 'account',
  'crossbill demo': 'demo',
  'crossbill init': 'asks',
  'crossbill kajabi hooks ensure': 'kajabi',
  'crossbill inbox discard 42 --reason "was a test"': 'dead',
  'crossbill inbox redrive 42': 'dead',
  'crossbill inbox redrive ID': 'dead',
  'crossbill inbox show 42': 'dead',
  'crossbill inbox show ID': 'dead',
  'crossbill rehearse': 'months',
  'crossbill rehearse --answering 0.8 --declines 0.03': 'months',
  'crossbill rehearse --faults --seed 7': 'months',
  'crossbill rehearse --months 14': 'months',
  'crossbill rehearse --months 14 --faults': 'months',
  'crossbill sandbox': 'stays',
  'crossbill sandbox --port 4242 --population school --subscribers 60': 'stays',
  "crossbill sandbox --world 'prorations_at_cancel=stay items_after_cancel=billed_at_period_end'": 'stays',
  'crossbill serve': 'stays',
  'crossbill serve --format json': 'stays',
  'crossbill schema --out docs/schema': 'writes',
  'crossbill state restore state/2026-11-30.backup': 'empty',
  'crossbill state restore state/monday.backup': 'empty',
  'crossbill webhooks rotate main --finish': 'overlap',
}

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
const documented = [
  ...new Set(pages.flatMap((path) => commandLines(readFileSync(join(root, path), 'utf8')))),
].toSorted()

/** Those that change the world run last, so that the others find what the documents describe. */
const late = /^crossbill (apply|cancel |sandbox|state rebuild|waves .*--write|webhooks|pull --source)/
const rank = (line: string): number =>
  line.startsWith('crossbill init')
    ? -1
    : /sandbox reset/.test(line)
      ? 3
      : /sandbox --advance/.test(line)
        ? 2
        : late.test(line)
          ? 1
          : 0
const run = documented.filter((line) => !(line in notRun)).toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))

const env = { LINKS: 'a-secret-of-at-least-thirty-two-signs-0123456789', MAILER: 'http://127.0.0.1:9' }
const service =
  'serve: { public_url: "http://127.0.0.1:8787", link_secrets: [{ env: LINKS }], mailer: { env: MAILER } }\n'
const accounts = ['target', 'us', 'intl']

describe('every documented command runs as it is written', { timeout: 240_000 }, () => {
  let outer = ''
  let folder = ''
  let names: readonly (readonly [written: string, here: string])[] = []
  let fresh = 0
  const here = async (line: string): ReturnType<typeof crossbill> => {
    // Each new project begins in an empty folder beside the others.
    const isNew = line.startsWith('crossbill init') && existsSync(join(folder, 'catalog'))
    const cwd = isNew ? join(outer, `fresh-${fresh++}`) : folder
    mkdirSync(cwd, { recursive: true })
    // A project with a service applies nothing while it does not run; links need its address.
    const project = join(folder, 'catalog/project.yaml')
    const before = existsSync(project) ? readFileSync(project, 'utf8') : ''
    if (/(cancel|card)-link/.test(line)) writeFileSync(project, `${before}${service}`)
    try {
      return await crossbill([...words(line), '--quiet'], cwd, env)
    } finally {
      if (before !== '') writeFileSync(project, before)
    }
  }

  /** Runs a line that only prepares something. */
  const prepared = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await here(line)
    if (code === 1) throw new Error(`${line}: ${stderr}`)
    return stdout
  }

  beforeAll(async () => {
    outer = mkdtempSync(join(tmpdir(), 'crossbill-documented-'))
    folder = join(outer, 'clone')
    await prepared('crossbill init --sandbox')
    const project = join(folder, 'catalog/project.yaml')
    const text = readFileSync(project, 'utf8').replace(/subscribers: \d+/, 'subscribers: 12')
    writeFileSync(project, `${text}kajabi: { sandbox: true }\n`)
    writeFileSync(
      join(folder, 'catalog/webhooks.yaml'),
      'webhook_endpoints: { main: { url: "https://school.example/hook", enabled_events: [invoice.paid], secret_to: { env_file: .env.hooks, name: MAIN } } }\n',
    )
    await prepared('crossbill pull')
    for (const source of ['us', 'intl']) {
      const stdout = await prepared(`crossbill sandbox --copy ${source}`)
      for (const file of [`${source}.csv`, ...(source === 'us' ? ['mapping-us.csv', 'mapping-2026-12.csv'] : [])])
        writeFileSync(join(folder, file), stdout)
      await prepared(`crossbill copy-map import ${source}.csv --source ${source}`)
    }
    const wave = join(folder, 'catalog/subscribers/us/wave-01.yaml')
    const { subscribers } = parse(readFileSync(wave, 'utf8')) as { subscribers: Record<string, { customer: string }> }
    const [first, second] = Object.entries(subscribers)
    const [subscription, { customer }] = present(first, 'a subscriber')
    const [another] = present(second, 'another subscriber')
    writeFileSync(wave, readFileSync(wave, 'utf8').replace('stage: source', 'stage: target'))
    await prepared('crossbill apply --yes')
    const person = await inWorld(folder, accounts, async (stripe) => {
      const { email } = (await stripe('us').customers.retrieve(customer)) as { email?: string }
      const { data } = await stripe('target').subscriptions.list({ limit: 1 })
      return { email: email ?? '', successor: present(data[0], 'a new subscription').id }
    })
    names = [
      ['target/sub_1NqNew7', `target/${person.successor}`],
      ['sub_1NqUs0042', subscription],
      ['us/sub_…', `us/${another}`],
      ['cus_Ok42', customer],
      ['ana@example.com', person.email],
      ['FILE', 'plans/any.plan.json'],
      ['DIR', '.schemas'],
      ['--source NAME', '--source us'],
    ]
  }, 400_000)
  afterAll(() => rmSync(outer, { recursive: true, force: true }))

  test('every exception is still documented, and has a reason', () => {
    expect(Object.keys(notRun).filter((line) => !documented.includes(line))).toEqual([])
    expect(Object.values(notRun).filter((reason) => !(reason in reasons))).toEqual([])
    expect(run.length).toBeGreaterThan(80)
  })

  test.each(run)('%s', async (written) => {
    const line = names.reduce((text, [from, to]) => text.replaceAll(from, to), written)
    // A saved plan or an earlier report must be there before it can be shown, applied or compared.
    const [, plan] = /^crossbill (?:apply|show) (\S+\.json)/.exec(line) ?? []
    if (plan !== undefined) await prepared(`crossbill plan --out ${plan}`)
    const [, earlier] = /--since (\S+)/.exec(line) ?? []
    if (earlier !== undefined && !existsSync(join(folder, earlier)))
      await prepared(`crossbill report --out ${dirname(earlier)}`)
    // There is no terminal to answer on.
    const asks = /^crossbill (apply|cancel|webhooks rotate) /.test(`${line} `) && !line.includes('--yes')
    const { code, stderr } = await here(asks ? `${line} --yes` : line)
    // 2 means that the command found something to see.
    expect({ code: code === 2 ? 0 : code, stderr: code === 1 ? stderr : '' }).toEqual({ code: 0, stderr: '' })
  })
})
