import { exitCodes } from '../exit-codes.ts'
import { formatInstant } from '../../core/instant.ts'
import type { Context } from '../../engine/context.ts'
import { finishRotation, startRotation } from '../../engine/apply/rotate.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {
    key: { type: 'string', demandOption: true, describe: 'key of the endpoint in catalog/webhooks.yaml' },
  },
  options: {
    finish: { type: 'boolean', default: false, describe: 'end the overlap: delete the first endpoint' },
    early: {
      type: 'boolean',
      default: false,
      implies: 'finish',
      describe: 'with --finish: end the overlap before 72 hours have passed, because the secret has leaked',
    },
    yes: { type: 'boolean', default: false, describe: 'change the endpoints without asking' },
  },
  examples: [
    ['webhooks rotate main', 'create a second endpoint and store its secret; both endpoints deliver every event'],
    ['webhooks rotate main --finish', 'after 72 hours: disable and delete the first endpoint'],
  ],
  formats: ['text', 'json'],
  async run({ key, finish: isEnd, early, yes }, shell) {
    return await withProjectDespite(shell, { leniency: 'strict', accessNeeded: false }, async ({ context }) => {
      const question = isEnd
        ? `Delete the first webhook endpoint of ${key}? Its secret then verifies nothing.`
        : `Create a second webhook endpoint for ${key}, and overwrite the secret where secret_to says?`
      if (!(yes || (await agreed(question, shell)))) return exitCodes.fine
      shell.stop.finishFirst('Stopping after the rotation step in flight.')
      return isEnd ? await finish(context, { key, early }, shell) : await start(context, key, shell)
    })
  },
})

async function agreed(question: string, shell: Shell): Promise<boolean> {
  const answer = await shell.ask(`${question} [y/N]`)
  if (answer === undefined)
    throw new UsageError('nobody-to-ask', 'webhooks rotate asks first, and there is no terminal', 'Use --yes.')
  if (/^y(es)?$/i.test(answer)) return true
  shell.say('Nothing was changed.')
  return false
}

async function start(context: Context, key: string, shell: Shell): Promise<number> {
  const { first, second, begun, previous, until } = await startRotation(context, key)
  const ends = formatInstant(until)
  if (shell.format === 'json') {
    shell.json({
      webhook_endpoint: key,
      state: 'overlap',
      first,
      second,
      until: ends,
      begun,
      previous: previous ?? null,
    })
    return exitCodes.fine
  }
  const what = begun ? `${second} has a new secret, stored where secret_to says.` : `The rotation is under way.`
  const kept = previous === undefined ? '' : ` The earlier secret is kept as ${previous}.`
  shell.out(`${what}${kept} ${first} and ${second} both deliver every event.
1. Give your service both secrets, the new one first, and restart it.
2. After ${ends}: ${shell.command('webhooks', 'rotate', key, '--finish')}
3. Remove the earlier secret from your service.`)
  return exitCodes.fine
}

async function finish(
  context: Context,
  { key, early }: { readonly key: string; readonly early: boolean },
  shell: Shell,
): Promise<number> {
  const done = await finishRotation(context, key, { early })
  const state = done === undefined ? 'none' : 'finished'
  if (shell.format === 'json') shell.json({ webhook_endpoint: key, state, first: null, second: null, ...done })
  else if (done === undefined) shell.out(`No rotation of ${key} is under way. Nothing was changed.`)
  else shell.out(`${done.first} is deleted, ${done.second} delivers the events. Remove the earlier secret.`)
  return exitCodes.fine
}
