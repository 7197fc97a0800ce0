import { exitCodes } from '../exit-codes.ts'
import { targetAccount } from '../../catalog/types.ts'
import { parseInstant, type Instant } from '../../core/instant.ts'
import { worldOf } from '../rehearsal/world-flag.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { serveSandbox } from '../../sandbox/server.ts'
import { loadProject } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import { type ProjectSandbox } from '../wiring/project-sandbox.ts'
import { withStore } from '../wiring/project.ts'
import { advanceClock, copyCustomers, readWorld } from '../wiring/sandbox-control.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {},
  options: {
    port: { type: 'number', requiresArg: true, default: 0, describe: 'port on 127.0.0.1; 0 takes any free one' },
    population: {
      type: 'string',
      choices: ['school'],
      requiresArg: true,
      describe: 'fill the old accounts with people',
    },
    subscribers: { type: 'number', requiresArg: true, default: 60, describe: 'how many, with --population' },
    seed: { type: 'number', requiresArg: true, default: 1, describe: 'the same seed gives the same world' },
    world: {
      type: 'string',
      requiresArg: true,
      describe: "choices of what Stripe's documents leave open: 'name=value name=value', or random:SEED",
    },
    'strict-version': {
      type: 'boolean',
      default: false,
      describe: 'refuse requests that name another Stripe-Version, instead of answering them in this one',
    },
    clock: { type: 'string', requiresArg: true, describe: 'where the simulated clock begins: 2026-12-01T12:00:00Z' },
    'advance-to': {
      type: 'string',
      requiresArg: true,
      describe: "instead of serving: play this project's own simulated accounts forward to this instant",
    },
    copy: {
      type: 'string',
      requiresArg: true,
      describe:
        'instead of serving: copy the customers and cards of this source to the target, as Stripe does on request, and print the mapping file (for copy-map import)',
    },
  },
  examples: [
    [
      'sandbox --port 4242 --population school --subscribers 60',
      'Stripe and Kajabi on this machine until Ctrl-C; prints urls and keys',
    ],
    ['sandbox --advance-to 2027-01-31T12:00:00Z', "let the project's simulated accounts bill until then"],
    ['sandbox --copy us > us.csv', 'the table of old and new ids, for "crossbill copy-map import us.csv --source us"'],
  ],
  formats: ['text', 'json'],
  async run(flags, shell) {
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
    // One line, so that a program that starts this one can read until the first line end.
    const { clock, accounts, kajabi } = sandbox.ready
    shell.out(
      JSON.stringify({
        url,
        clock,
        accounts,
        kajabi: { ...kajabi, api_base: `${url}${kajabi.api_base}` },
      }),
    )
    shell.stop.finishFirst('The sandbox ends.')
    await shell.stop.asked
    await server.close()
    return exitCodes.fine
  },
})

function instantOf(flag: string, text: string): Instant {
  const at = parseInstant(text)
  if (at === undefined)
    throw new UsageError('not-an-instant', `${flag}: "${text}" is no instant`, 'Write it like 2026-12-01T12:00:00Z.')
  return at
}

async function advance(to: string, shell: Shell): Promise<number> {
  instantOf('--advance-to', to)
  return await withOwnSandbox(shell, 'Real time passes by itself.', async (sandbox) => {
    await advanceClock(sandbox, to)
    shell.json(await readWorld(sandbox))
  })
}

async function copy(source: string, shell: Shell): Promise<number> {
  return await withOwnSandbox(shell, 'Stripe does the real copy and hands out its file.', async (sandbox) => {
    shell.out((await copyCustomers(sandbox, source, targetAccount)).trimEnd())
  })
}

/** The simulated accounts of this project, which live in its store. */
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
