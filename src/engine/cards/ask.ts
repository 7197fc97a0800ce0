import { digest } from '../../core/canonical.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { sideBySide } from '../side-by-side.ts'
import type { Askable } from './askable.ts'
import type { CardContext, CardOwner } from './context.ts'
import { markCardLink } from './mark.ts'

/** Whether the member has a link already and has not entered a card yet. */
export function wasAsked({ link }: Pick<Askable, 'link'>): boolean {
  return link?.state === 'asked' || link?.state === 'opened'
}

/**
 * Notes on the customer in the target that the member was asked. A link that is in use keeps its
 * state, because a card may be entered at this moment.
 */
async function markAsked(context: CardContext, one: Askable): Promise<Outcome<boolean>> {
  if (wasAsked(one)) return success(false)
  const marked = await markCardLink(context, one.owner, { state: 'asked', at: context.clock() })
  return marked.ok ? success(true) : marked
}

/** Hands a link to the school's mailer. The address is not stored; `id` is the same for a retry. */
export type SendLink = (message: {
  readonly email: string
  readonly link: string
  readonly about: 'card'
  readonly id: string
}) => Promise<Outcome<true>>

export interface Asked {
  readonly links: readonly { readonly subscriber: string; readonly url: string }[]
  readonly failures: readonly { readonly subscriber: string; readonly failure: Failure }[]
}

const atOnce = 8

/** Makes a link for each member, mails it where `send` is given, and notes that they were asked. */
export async function askMembers(
  context: CardContext,
  members: readonly Askable[],
  { link, send }: { readonly link: (owner: CardOwner) => string; readonly send?: SendLink },
): Promise<Asked> {
  const links: { subscriber: string; url: string }[] = []
  const failures: { subscriber: string; failure: Failure }[] = []
  await sideBySide(
    members.map((one) => [one]),
    atOnce,
    async (one) => {
      const { subscriber } = one.owner
      const url = link(one.owner)
      const mailed = send === undefined ? success(true) : await mail(send, one, url)
      const asked = mailed.ok ? await markAsked(context, one) : mailed
      if (asked.ok) links.push({ subscriber, url })
      else failures.push({ subscriber, failure: asked.failure })
      return !context.interrupt.requested
    },
  )
  const byName = (a: { subscriber: string }, b: { subscriber: string }): number =>
    a.subscriber < b.subscriber ? -1 : 1
  return { links: links.toSorted(byName), failures: failures.toSorted(byName) }
}

async function mail(send: SendLink, { email }: Askable, url: string): Promise<Outcome<true>> {
  if (email === null) return failed(noAddress)
  return await send({ email, link: url, about: 'card', id: `card-${digest(url).slice(0, 32)}` })
}

const noAddress: Failure = {
  kind: 'rejected',
  code: 'no_address',
  message: 'the customer has no e-mail address in the target',
  status: 0,
}
