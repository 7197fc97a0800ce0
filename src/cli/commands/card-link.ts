import { mailConfirmation } from '../../alerts/mailer.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { askMembers, wasAsked, type Asked, type SendLink } from '../../engine/cards/ask.ts'
import { askable, cardReasons, type Askable, type Unaskable } from '../../engine/cards/askable.ts'
import { survey } from '../../engine/plan/survey.ts'
import { cardsOf } from '../../engine/verify/cards.ts'
import { resolveSecret } from '../../files/secrets.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { plural } from '../render/words.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { findSubscriber } from '../wiring/find-subscriber.ts'
import { openCardLinkMaker } from '../wiring/member-links.ts'
import { withProjectDespite, type OpenProject } from '../wiring/project.ts'
import { serviceSecrets } from '../wiring/service-secrets.ts'

export const main = command({
  positionals: {
    who: { type: 'string', describe: 'one member: old or new subscription, customer id, or e-mail address' },
  },
  options: {
    code: {
      type: 'string',
      array: true,
      requiresArg: true,
      choices: ['all', ...cardReasons],
      describe: 'all members with this code of `plan` or `cards check`',
    },
    days: {
      type: 'number',
      requiresArg: true,
      describe: 'days for which the links are valid; default: serve.link_days',
    },
    mail: {
      type: 'boolean',
      default: false,
      describe: 'hand each link to `serve.mailer`, except links of members who were asked before',
    },
    again: { type: 'boolean', default: false, describe: 'with --mail: ask members again who were asked before' },
  },
  examples: [
    ['card-link us/sub_1NqUs0042', 'make a link for one member; they enter the card on a page of Stripe'],
    [
      'card-link --code all --format csv > card-links.csv',
      'write subscriber and link of every member whose card is missing or will probably fail',
    ],
    ['card-link --code payment_method_unmapped --mail', 'mail these members their link'],
  ],
  formats: ['text', 'json', 'csv'],
  async run({ who, code, days, mail, again }, shell) {
    if ((who === undefined) === (code === undefined))
      throw new UsageError(
        'who-or-code',
        'card-link needs a member or --code, and not both',
        'For all members: crossbill card-link --code all',
      )
    return await withProjectDespite(shell, { leniency: 'entries' }, async (project) => {
      const { context } = project
      const { serve } = context.catalog.project
      const maker = await openCardLinkMaker(serve, days, shell, () => context.accounts.target.now())
      const send = mail ? await openMailer(project, shell) : undefined
      const seen = await survey(context)
      const named = who === undefined ? undefined : (await findSubscriber(who, context.accounts)).subscriber
      const found = askable(seen, await cardsOf(context, seen))
      const wanted = chosen(found, { named, codes: code ?? [] })
      const left = send === undefined || again ? [] : wanted.askable.filter(wasAsked)
      const asked = wanted.askable.filter((one) => !left.includes(one))
      const { links, failures } = await askMembers({ ...context, clock: () => context.accounts.target.now() }, asked, {
        link: maker.link,
        ...(send === undefined ? {} : { send }),
      })
      const expires = formatInstant(maker.expires)
      print(shell, { links, expires, refused: wanted.refused, failures })
      shell.say(`${plural(links.length, 'link')} ${send === undefined ? 'made' : 'mailed'}, valid until ${expires}.`)
      if (left.length > 0)
        shell.say(
          `${plural(left.length, 'member')} left out, because they were asked before; --again asks them once more.`,
        )
      return failures.length > 0 ? exitCodes.error : exitCodes.fine
    })
  },
})

interface Chosen {
  readonly askable: readonly Askable[]
  readonly refused: readonly Unaskable[]
}

/** The named member, or all with one of the codes. */
function chosen(
  found: Chosen,
  { named, codes }: { readonly named: string | undefined; readonly codes: readonly string[] },
): Chosen {
  if (named === undefined) {
    const isWanted = (code: string): boolean => codes.includes('all') || codes.includes(code)
    return {
      askable: found.askable.filter((one) => one.codes.some(isWanted)),
      refused: found.refused.filter((one) => one.codes.some(isWanted)),
    }
  }
  const refused = found.refused.find(({ subscriber }) => subscriber === named)
  if (refused !== undefined)
    throw new CommandError(refused.code, `${named}: ${refused.message}`, {
      notDone: 'no link was made',
      fix: fixes[refused.code],
    })
  const theirs = found.askable.filter(({ owner }) => owner.subscriber === named)
  if (theirs.length === 0)
    throw new CommandError('not_declared', `${named} is not declared in catalog/subscribers, or is excluded`, {
      notDone: 'no link was made',
      fix: 'crossbill pull declares it',
    })
  return { askable: theirs, refused: [] }
}

const fixes: Readonly<Record<Unaskable['code'], string>> = {
  customer_not_copied: 'Copy the customer to the target and import the mapping file, then make the link.',
  copy_mismatch: 'Correct the copy map first: the card would be saved on the customer of another person.',
  ended: 'Nothing is charged any more, so no card is needed.',
  sent_invoices: 'The member pays sent invoices by hand, so no card is needed.',
}

/** @throws CommandError `no_mailer` */
async function openMailer({ context }: OpenProject, shell: Shell): Promise<SendLink> {
  const { serve } = context.catalog.project
  if (serve?.mailer === undefined)
    throw new CommandError('no_mailer', 'the project has no mailer', {
      notDone: 'no link was made',
      fix: 'Name it in catalog/project.yaml: serve: { mailer: { env: NAME } }. Or use --format csv and mail the links yourself.',
    })
  const url = await resolveSecret(serve.mailer, 'serve.mailer', { folder: shell.project, env: shell.surroundings.env })
  const [relaySecret] = await serviceSecrets(serve, 'relay_secrets', shell)
  return mailConfirmation({ url, relaySecret, clock: () => instant(Math.floor(Date.now() / 1_000)) })
}

function print(
  shell: Shell,
  { links, expires, refused, failures }: Asked & { readonly expires: string; readonly refused: readonly Unaskable[] },
): void {
  const failed = failures.map(({ subscriber, failure: { code, message } }) => ({ subscriber, code, message }))
  if (shell.format === 'json') shell.json({ links, expires, refused, failed })
  else if (shell.format === 'csv')
    shell.out(['subscriber,url', ...links.map((one) => `${one.subscriber},${one.url}`)].join('\n'))
  else if (links.length > 0)
    shell.out(links.map(({ subscriber, url }) => (links.length === 1 ? url : `${subscriber}  ${url}`)).join('\n'))
  for (const { subscriber, code, message } of [...refused, ...failed]) shell.say(`  ${subscriber}: ${code}: ${message}`)
}
