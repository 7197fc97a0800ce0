import { exitCodes } from '../exit-codes.ts'
import { randomUUID } from 'node:crypto'
import { CommandError, type Outcome } from '../../core/outcome.ts'
import { explainEnd } from '../../cancel/reasons.ts'
import { decision } from '../../engine/check/left-behind.ts'
import { acceptSignal } from '../../engine/inbox/accept.ts'
import type { Alert, InboxContext } from '../../engine/inbox/context.ts'
import { moneyLeftBy, type LeftIn } from '../../engine/inbox/left-money.ts'
import type { InboxRow } from '../../engine/inbox/port.ts'
import { workInbox } from '../../engine/inbox/worker.ts'
import { command } from '../command.ts'
import { findSubscriber, type Found } from '../wiring/find-subscriber.ts'
import { entryOf } from '../wiring/inbox.ts'
import { inboxContext } from '../wiring/inbox-context.ts'
import { withProjectDespite } from '../wiring/project.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

/** Largest number of inbox rows worked on in one round. */
const rowsAtOnce = 20
const rounds = 30

export const main = command({
  positionals: {
    who: {
      type: 'string',
      demandOption: true,
      describe: 'old or new subscription, customer id, or e-mail address (looked up in Stripe, never stored)',
    },
  },
  options: { yes: { type: 'boolean', default: false, describe: 'cancel without asking' } },
  examples: [
    ['cancel us/sub_1NqUs0042', 'cancel as the service does: the new subscription first, then the held old one'],
    ['cancel cus_Ok42 --yes', 'cancel the only live subscription of a customer, without asking'],
  ],
  formats: ['text', 'json'],
  async run({ who, yes }, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts', accessNeeded: false }, async (project) => {
      const found = await findSubscriber(who, project.context.accounts)
      if (!(await agreed(found, yes, shell))) return exitCodes.fine
      shell.stop.finishFirst(
        'Stopping after the request in flight. The cancel is stored; the service or the next cancel continues it.',
      )
      const alert = ({ summary, resolved }: Alert): void => {
        if (resolved !== true) shell.say(summary)
      }
      const context = await inboxContext(project, { alert, log: () => {}, kajabiNeeded: false }, shell)
      const row = await cancelNow(context, found)
      const entry = entryOf(row)
      const isCancelled = row.now.state === 'done' || isConfirmed(row)
      const left = isCancelled ? await moneyLeftBy(context, found.subscriber) : undefined
      if (shell.format === 'json')
        shell.json({ subscriber: found.subscriber, ...entry, ...(left?.ok === true ? { left: left.value } : {}) })
      else {
        shell.out(sentence(found, entry.id, row))
        for (const line of left === undefined ? [] : leftLines(left)) shell.out(line)
      }
      const fine = row.now.state === 'done' || row.now.state === 'ignored' || isConfirmed(row)
      return fine ? exitCodes.fine : exitCodes.error
    })
  },
})

async function agreed({ subscriber, liveIn }: Found, yes: boolean, shell: Shell): Promise<boolean> {
  if (yes) return true
  const where = liveIn.length === 0 ? 'it has ended already' : `it is live in ${liveIn.join(' and ')}`
  const answer = await shell.ask(`Cancel ${subscriber} (${where})? [y/N]`)
  if (answer === undefined)
    throw new UsageError('nobody-to-ask', 'cancel asks first, and there is no terminal to answer on', 'Use --yes.')
  if (/^y(es)?$/i.test(answer)) return true
  shell.say('Nothing was cancelled.')
  return false
}

/** Stores the request in the inbox and works on it until it has an outcome. */
async function cancelNow(context: InboxContext, { subscriber }: Found): Promise<InboxRow> {
  const { id } = await acceptSignal(context, {
    source: 'operator',
    event: 'cancel',
    subscriber,
    receivedAt: context.clock(),
    message: randomUUID(),
  })
  for (let round = 0; round < rounds; round++) {
    const { breaker } = await workInbox(context, rowsAtOnce)
    const row = (await context.inbox.get(id))?.row
    if (row === undefined) break
    const waiting = row.now.state === 'received' || row.now.state === 'verifying' || row.now.state === 'cancelling'
    if ((!waiting && row.now.state !== 'retry') || isConfirmed(row)) return row
    if (breaker.open || context.interrupt.requested) return row
    await context.wait(row.now.state === 'retry' ? Math.max(1, Math.min(10, row.now.at - context.clock())) : 1)
  }
  throw new CommandError('cancel_pending', `the cancel of ${subscriber} is stored but not done yet`, {
    notDone: 'Stripe has not confirmed it',
    fix: `The service tries it again. See: crossbill inbox show ${id}`,
  })
}

/** A cancel bills nothing and deletes nothing, so what waits is said here. */
function leftLines(left: Outcome<readonly LeftIn[]>): readonly string[] {
  if (!left.ok)
    return [
      `Whether an item, a draft or a balance was left could not be read: ${left.failure.message}. crossbill verify says it.`,
    ]
  return left.value.map(
    ({ account, what }) =>
      `Left in ${account}: ${what.join(', ')}. The cancel did not bill or remove it, and no subscription will. To decide about it, ${decision(account)}.`,
  )
}

/** Stripe has confirmed the cancel. The service still has to revoke the access. */
function isConfirmed({ now, facts }: InboxRow): boolean {
  return now.state === 'retry' && facts['confirmed'] === true
}

function sentence({ subscriber }: Found, id: string, row: InboxRow): string {
  const { now } = row
  if (isConfirmed(row))
    return `${subscriber} is cancelled, confirmed by Stripe (inbox ${id}). Kajabi does not answer; the service revokes the access when it does.`
  if (now.state === 'done') return `${subscriber} is cancelled, confirmed by Stripe (inbox ${id}).`
  if (now.state === 'ignored') return `${subscriber}: there was nothing to cancel (${now.reason}).`
  if (now.state === 'dead') {
    const explained = explainEnd({ id, state: now.state, reason: now.reason })
    const why = explained === undefined ? '' : ` ${explained.means} ${explained.next}`
    return `${subscriber} could not be cancelled: ${now.reason}.${why} See: crossbill inbox show ${id}`
  }
  return `${subscriber} is not cancelled yet. The request is stored as ${id}. See: crossbill inbox show ${id}`
}
