import { exitCodes } from '../exit-codes.ts'
import { targetAccount } from '../../catalog/types.ts'
import { formatInstant, instant, parseInstant, type Instant } from '../../core/instant.ts'
import { worldOf } from '../rehearsal/world-flag.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { serveSandbox } from '../../sandbox/server.ts'
import { loadProject } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import { type ProjectSandbox } from '../wiring/project-sandbox.ts'
import { markdownKind } from '../report/document.ts'
import { pageKind } from '../report/page.ts'
import { recordKind } from '../report/rehearsal-record.ts'
import { snapshotKind } from '../report/since.ts'
import { plural, when } from '../render/words.ts'
import { withStore } from '../wiring/project.ts'
import { resetSandbox } from '../wiring/reset-sandbox.ts'
import { advanceClock, copyCustomers, readWorld } from '../wiring/sandbox-control.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {
    action: {
      type: 'string',
      choices: ['reset'],
      describe:
        "reset: do not serve; delete this project's simulated accounts, what the store knows of them, and the reports; the YAML stays",
    },
  },
  options: {
    port: { type: 'number', requiresArg: true, default: 0, describe: 'port on 127.0.0.1; 0 chooses any free port' },
    population: {
      type: 'string',
      choices: ['school'],
      requiresArg: true,
      describe: 'fill the old accounts with subscribers',
    },
    subscribers: {
      type: 'number',
      requiresArg: true,
      default: 60,
      describe: 'number of subscribers, with --population',
    },
    seed: { type: 'number', requiresArg: true, default: 1, describe: 'the same seed gives the same world' },
    world: {
      type: 'string',
      requiresArg: true,
      describe: "how Stripe behaves where its documents are unclear: 'name=value name=value', or random:SEED",
    },
    'strict-version': {
      type: 'boolean',
      default: false,
      describe: 'refuse requests that name another Stripe-Version; by default they are answered in this version',
    },
    clock: { type: 'string', requiresArg: true, describe: 'start of the simulated clock: 2026-12-01T12:00:00Z' },
    'advance-to': {
      type: 'string',
      requiresArg: true,
      describe: "do not serve; advance this project's simulated accounts to this instant",
    },
    copy: {
      type: 'string',
      requiresArg: true,
      describe:
        'do not serve; copy the customers and cards of this source to the target, as Stripe does on request, and print the CSV for copy-map import',
    },
  },
  examples: [
    [
      'sandbox --port 4242 --population school --subscribers 60',
      'serve Stripe and Kajabi on this machine until Ctrl-C; print URLs and keys',
    ],
    ['sandbox reset', "begin again: the next command makes the project's simulated accounts as they were at first"],
    ['sandbox --advance-to 2027-01-31T12:00:00Z', "let the project's simulated accounts bill until this instant"],
    [
      'sandbox --copy us > us.csv',
      'write the table of old and new ids, for "crossbill copy-map import us.csv --source us"',
    ],
  ],
  formats: ['text', 'json'],
  async run(flags, shell) {
    if (flags.action === 'reset') return await reset(shell)
    const to = flags['advance-to']
    if (to !== undefined) return await advance(to, shell)
    if (flags.copy !== undefined) return await copy(flags.copy, shell)
    const sandbox = createSandbox({
      seed: flags.seed,
      strictVersion: flags['strict-version'],
      ...(flags.world === undefined ? {} : { unsure: worldOf('--world', flags.world) }),
      ...(flags.population === undefined ? {} : { population: { name: 'school', subscribers: flags.subscribers } }),
      ...(flags.clock === undefined ? {} : { clock: instantOf('--clock', flags.clock) }),
    })
    const server = await serveSandbox(sandbox, { port: flags.port })
    const { url } = server
    // One line, so that a program that starts the sandbox can read up to the first line end.
    const { clock, accounts, kajabi } = sandbox.ready
    shell.out(
      JSON.stringify({
        url,
        clock,
        accounts,
        kajabi: { ...kajabi, api_base: `${url}${kajabi.api_base}` },
      }),
    )
    shell.stop.finishFirst('Stopping the sandbox.')
    await shell.stop.asked
    await server.close()
    return exitCodes.fine
  },
})

function instantOf(flag: string, text: string): Instant {
  const at = parseInstant(text)
  if (at === undefined)
    throw new UsageError(
      'not-an-instant',
      `${flag}: "${text}" is not an instant`,
      'Write it like 2026-12-01T12:00:00Z.',
    )
  return at
}

async function advance(to: string, shell: Shell): Promise<number> {
  instantOf('--advance-to', to)
  return await withOwnSandbox(
    shell,
    'Only simulated accounts can be advanced; real time passes by itself.',
    async (sandbox) => {
      await advanceClock(sandbox, to)
      shell.json(await readWorld(sandbox))
    },
  )
}

/** What `rehearse` and `report` write below report/. */
const reportKinds = [markdownKind, pageKind('a page', 'report', 'rehearse'), recordKind, snapshotKind]

async function reset(shell: Shell): Promise<number> {
  const { deleted, clock } = await resetSandbox(shell, reportKinds)
  const files = deleted.map((path) => shell.near(path))
  if (shell.format === 'json') shell.json({ deleted: files })
  else
    shell.out(
      files.length === 0
        ? 'Nothing to delete: the simulated accounts are as they were at first.'
        : `Deleted ${plural(files.length, 'file')}: the simulated accounts${clock === undefined ? '' : ` (the next command makes them again, as of ${when(formatInstant(instant(clock)))})`}, what the store knew of them, and the reports. The YAML was not changed.`,
    )
  return exitCodes.fine
}

async function copy(source: string, shell: Shell): Promise<number> {
  return await withOwnSandbox(
    shell,
    'For real accounts, Stripe makes the copy and provides the CSV.',
    async (sandbox) => {
      shell.out((await copyCustomers(sandbox, source, targetAccount)).trimEnd())
    },
  )
}

/** Works on the simulated accounts of this project, which are kept in its store. */
async function withOwnSandbox(
  shell: Shell,
  otherwise: string,
  work: (sandbox: ProjectSandbox) => Promise<void>,
): Promise<number> {
  const { catalog } = await loadProject(shell)
  return await withStore(catalog.project, shell, async (_store, sandbox) => {
    if (sandbox === undefined)
      throw new UsageError('no-sandbox', 'no account of this project has sandbox: true', otherwise)
    await work(sandbox)
    return exitCodes.fine
  })
}
