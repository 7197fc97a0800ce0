import { randomUUID } from 'node:crypto'
import { signLink } from '../../cancel/link.ts'
import type { Access } from '../../access/schema.ts'
import { formatInstant, instant, secondsPerDay } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { suggest } from '../../core/suggest.ts'
import { linkKey } from '../../server/secrets.ts'
import { command, exitCodes } from '../command.ts'
import { findSubscriber } from '../find-subscriber.ts'
import { withProject } from '../project.ts'
import { publicUrl, serviceSecrets } from '../service-secrets.ts'
import { UsageError } from '../usage-error.ts'

const daysByDefault = 14

export const main = command({
  positionals: {
    who: { type: 'string', demandOption: true, describe: 'old or new subscription, customer id, or e-mail address' },
  },
  options: {
    offer: { type: 'string', requiresArg: true, describe: 'key in access.yaml that ends with it, when it gives one' },
    days: { type: 'number', requiresArg: true, describe: 'how long the link holds; serve.link_days when absent' },
  },
  examples: [
    ['cancel-link us/sub_1NqUs0042', "a member's own page: signed, expiring, works once; asks before it cancels"],
  ],
  formats: ['text', 'json'],
  async run({ who, offer, days }, shell) {
    return await withProject(shell, async ({ context }) => {
      const { serve } = context.catalog.project
      refuseUnknownOffer(offer, context.catalog.access as Partial<Access>)
      const base = publicUrl(serve)
      const key = (await serviceSecrets(serve, 'link_secrets', shell)).map(linkKey).find((one) => one !== undefined)
      if (key === undefined)
        throw new CommandError('no_link_secret', 'no key signs cancel links, or the first one is too weak', {
          notDone: 'no link was made',
          fix: 'Make one with "openssl rand -base64 32" and name it in catalog/project.yaml: serve: { link_secrets: [{ env: NAME }] }',
        })
      const { subscriber } = await findSubscriber(who, context.accounts)
      const held = days ?? (typeof serve?.['link_days'] === 'number' ? serve['link_days'] : daysByDefault)
      const expires = instant(Math.floor(Date.now() / 1_000) + Math.round(held * secondsPerDay))
      const link = `${base}/cancel/${signLink({ subscriber, offer: offer ?? '', expires, id: randomUUID() }, key)}`
      if (shell.format === 'json') shell.json({ subscriber, link, expires: formatInstant(expires) })
      else shell.out(link)
      shell.say(`For ${subscriber}; holds until ${formatInstant(expires)}, works once.`)
      return exitCodes.fine
    })
  },
})

function refuseUnknownOffer(offer: string | undefined, { offers = {} }: Partial<Access>): void {
  if (offer === undefined || offer in offers) return
  const near = suggest(offer, Object.keys(offers))
  throw new UsageError(
    'unknown-offer',
    `access.yaml has no offer "${offer}"`,
    near === undefined ? `It has: ${Object.keys(offers).join(', ')}.` : `Did you mean ${near}?`,
  )
}
