import { parseInstant, type Instant } from '../../core/instant.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { serveSandbox } from '../../sandbox/server.ts'
import { loadProject } from '../catalog.ts'
import { command, exitCodes } from '../command.ts'
import { withStore } from '../project.ts'
import { advanceClock, readWorld } from '../sandbox-control.ts'
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
    clock: { type: 'string', requiresArg: true, describe: 'where the simulated clock begins: 2026-12-01T12:00:00Z' },
    'advance-to': {
      type: 'string',
      requiresArg: true,
      describe: "instead of serving: play this project's own simulated accounts forward to this instant",
    },
  },
  examples: [
    [
      'sandbox --port 4242 --population school --subscribers 60',
      'Stripe and Kajabi on this machine until Ctrl-C; prints urls and keys',
    ],
    ['sandbox --advance-to 2027-01-31T12:00:00Z', "let the project's simulated accounts bill until then"],
  ],
  formats: ['text', 'json'],
  async run(flags, shell) {
    const to = flags['advance-to']
    if (to !== undefined) return await advance(to, shell)
    const sandbox = createSandbox({
      seed: flags.seed,
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
  const { catalog } = await loadProject(shell)
  return await withStore(catalog.project, shell, async (_store, sandbox) => {
    if (sandbox === undefined)
      throw new UsageError('no-sandbox', 'no account of this project has sandbox: true', 'Real time passes by itself.')
    await advanceClock(sandbox, to)
    shell.json(await readWorld(sandbox))
    return exitCodes.fine
  })
}
