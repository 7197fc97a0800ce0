import { exitCodes } from '../exit-codes.ts'
import type { Access } from '../../catalog/schemas/access.ts'
import { formatInstant } from '../../core/instant.ts'
import { suggest } from '../../core/suggest.ts'
import { openLinkMaker } from '../wiring/member-links.ts'
import { command } from '../command.ts'
import { findSubscriber } from '../wiring/find-subscriber.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {
    who: { type: 'string', demandOption: true, describe: 'old or new subscription, customer id, or e-mail address' },
  },
  options: {
    offer: { type: 'string', requiresArg: true, describe: 'the offer in access.yaml that ends with the subscription' },
    days: { type: 'number', requiresArg: true, describe: 'days for which the link is valid; default: serve.link_days' },
  },
  examples: [
    [
      'cancel-link us/sub_1NqUs0042',
      "make a link to the member's own page, which asks before it cancels; it is signed, expires and works once",
    ],
  ],
  formats: ['text', 'json'],
  async run({ who, offer, days }, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const { serve } = context.catalog.project
      refuseUnknownOffer(offer, context.catalog.access as Partial<Access>)
      const maker = await openLinkMaker(serve, days, shell, () => context.accounts.target.now())
      const { subscriber } = await findSubscriber(who, context.accounts)
      const link = maker.link(subscriber, offer ?? '')
      const expires = formatInstant(maker.expires)
      if (shell.format === 'json') shell.json({ subscriber, link, expires })
      else shell.out(link)
      shell.say(`The link for ${subscriber} is valid until ${expires} and works once.`)
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
