import type { IgnoredReason } from '../../cancel/reasons.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { accessOf } from '../access/remember.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'

/**
 * Anyone can type any address into a form, so a submission cancels nothing. It only sends a
 * confirmation link to that address. The address is read from Kajabi, handed to the mailer and not
 * stored.
 * @returns why the signal ends here.
 */
export async function askForConfirmation(
  context: InboxContext,
  { id, signal }: Pick<InboxRow, 'id' | 'signal'>,
): Promise<Outcome<IgnoredReason>> {
  const { kajabi, mailLink } = context
  if (kajabi === undefined || mailLink === undefined)
    return failed({
      kind: 'rejected',
      code: 'no_mailer',
      message:
        'a form asked for a cancel link, but the project has no mailer to send it; no link was sent. Set serve.mailer in catalog/project.yaml',
      status: 0,
    })
  const submitted = await kajabi.submission(signal.message)
  if (!submitted.ok) return submitted.failure.code === 'not_found' ? success('submission_unknown_in_kajabi') : submitted
  const { email } = submitted.value
  const contact = await kajabi.findContact(email)
  if (!contact.ok) return contact
  const grants = contact.value === undefined ? [] : await accessOf(context.inbox, { contact: contact.value })
  const subscribers = new Set(
    grants.filter(({ offer }) => offer === signal.offer).flatMap((grant) => grant.subscribers),
  )
  const [subscriber, ...others] = subscribers
  // The sender's page is the same in every case, so that it reveals nothing about the address.
  if (subscriber === undefined) return success('nobody_has_this')
  if (others.length > 0)
    return failed({
      kind: 'rejected',
      code: 'ambiguous',
      message: `several subscriptions match: ${[...subscribers].join(', ')}`,
      status: 0,
    })
  const mailed = await mailLink({ email, subscriber, offer: signal.offer ?? '', id })
  return mailed.ok ? success('confirmation_link_sent') : mailed
}
