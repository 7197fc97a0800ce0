/**
 * What an entry of the inbox came to, for whoever looks at it: what happened, what to do next, and
 * the command that does it.
 */
export interface Explanation {
  readonly means: string
  readonly next: string
  /** Empty where there is nothing to do. */
  readonly command: string
}

const nothingToDo = 'Nothing is to be done.'
const redrive = 'crossbill inbox redrive {id}'

function explained(means: string, next = nothingToDo, command = ''): Explanation {
  return { means, next, command }
}

/**
 * Why a signal cancels nobody. Whatever ends as ignored has one of these, but for what an operator
 * discarded in words of their own.
 */
const ignored = {
  event_never_acts: explained('Only a cancel tag is a wish to cancel; this event of Kajabi is none.'),
  names_no_contact_or_tag: explained('Kajabi’s hook named no contact or no tag, so it asks for nothing.'),
  hook_cannot_be_verified_without_api: explained(
    'What a hook says is believed once Kajabi’s API says it too, and this project names no key of the API.',
    'Give the project a key (kajabi: in catalog/project.yaml), or cancel by hand who has the tag.',
    'crossbill doctor',
  ),
  contact_unknown_in_kajabi: explained(
    'Kajabi knows no such contact: somebody made the message up, or it was deleted.',
  ),
  tag_not_on_contact: explained('The cancel tag is not on the contact: it was taken off again, or the wish is done.'),
  names_no_contact_or_offer: explained('The offer that was missing is no longer named in catalog/access.yaml.'),
  revoked_means_alert: explained(
    'An offer was taken away in Kajabi, and its policy (revoked_means) does not take that for a wish to cancel.',
    'Cancel the member if it was one.',
    'crossbill cancel <who>',
  ),
  not_granted_by_crossbill: explained(
    'The offer that is missing was not given by Crossbill, so its absence says nothing.',
  ),
  protected_repair_instead: explained(
    'The member is being moved, when old integrations take offers away by mistake: the offer is given again, nobody is cancelled.',
  ),
  offer_is_there: explained('At the second look the offer was there: Kajabi had only not shown it.'),
  access_followed: explained('A subscription ended, and the offers that nobody pays for any more were taken.'),
  old_is_over: explained('The old subscription has ended meanwhile, so no hold is needed.'),
  no_live_successor: explained(
    'No subscription in the target lives that the old one would have to be held for.',
    'See whether it may collect.',
    'crossbill verify',
  ),
  several_successors: explained(
    'Several live subscriptions claim to succeed the old one, so its hold was not put back.',
    'End those that should not be, then look again.',
    'crossbill verify',
  ),
  left_to_recovery: explained('A move was on its way; recovery finishes it or takes it back.'),
  not_on_hold_by_the_store: explained(
    'This store does not know the subscriber as moved, so the hold was not put back.',
    'Look what an apply would do.',
    'crossbill plan',
  ),
  hold_put_back: explained(
    'Somebody took the hold off the old subscription; it is on hold again.',
    'See what the old account billed meanwhile.',
    'crossbill verify',
  ),
  hold_is_there: explained('The hold on the old subscription is where it should be.'),
  submission_unknown_in_kajabi: explained('Kajabi knows no such form submission: somebody made the message up.'),
  nobody_has_this: explained('Nobody with the address on the form has this offer, so no link was sent.'),
  confirmation_link_sent: explained('The member was sent a link; pressing it cancels.'),
  asked_already: explained('An earlier signal of the same tag is on its way and ends the wish.'),
  no_match_for_offer: explained(
    'The member has subscriptions, but none of them gives the offer that was named, as after a payment plan that is fully paid.',
    'Cancel the right one if it was a wish to leave.',
    'crossbill cancel <who>',
  ),
  already_ended: explained('The subscription that gives this offer has ended already.'),
} as const satisfies Readonly<Record<string, Explanation>>

export type IgnoredReason = keyof typeof ignored

/**
 * Why a signal waits for a person. Codes of Stripe and Kajabi that are not here are refusals, and
 * are explained as such.
 */
const dead = {
  nobody: explained(
    'Nobody is known to have got this from Crossbill: neither by a grant, nor by a mark in the target account.',
    'Find the member, cancel them by hand, and discard this entry.',
    'crossbill cancel <who>',
  ),
  no_offer_named: explained(
    'The signal names no offer, so nobody can tell which subscription is meant.',
    'Name the offer of the tag in catalog/access.yaml (cancel_tags), or have the relay send it; cancel this one by hand.',
    'crossbill cancel <who>',
  ),
  ambiguous: explained(
    'Several live subscriptions give this offer, and cancelling the wrong one cannot be undone.',
    'Cancel the right one by its id, then discard this entry.',
    'crossbill cancel <source>/<subscription>',
  ),
  subscribed_again: explained(
    'The subscription that Crossbill knows has ended, and the same customer pays for the offer by a newer one.',
    'If the member wants to leave, cancel the newer one, which the reason names. Then discard this entry.',
    'crossbill cancel <account>/<subscription>',
  ),
  contradicting_ids: explained(
    'The relay sent ids of different people in one request, so either of them may be the wrong one.',
    'Correct the relay. Find out which member wants to leave, cancel that one by hand, and discard this entry.',
    'crossbill cancel <account>/<subscription>',
  ),
  subscription_missing: explained(
    'The subscription is in neither account: it is of another account, or the copy of the project is wrong.',
    'Find the member under their address, cancel them by hand, and discard this entry.',
    'crossbill cancel <who>',
  ),
  source_unknown: explained(
    'The signal means a subscription of an account that the project does not name any more.',
    'Put the account back into catalog/project.yaml, then try again.',
    redrive,
  ),
  no_mailer: explained(
    'A form asked for a cancel link, and the project names nobody who mails it.',
    'Set serve.mailer in catalog/project.yaml, or send the member a link yourself.',
    'crossbill cancel-link <who>',
  ),
  contact_ambiguous: explained(
    'Several contacts in Kajabi have the same address, so nobody can tell whose it is.',
    'Merge the contacts in Kajabi, then try again.',
    redrive,
  ),
  hold_mark_lost: explained(
    'The old subscription collects although its successor lives, and what its hold remembered is lost. Both accounts will charge.',
    'Put the hold back now.',
    'crossbill apply',
  ),
  hold_not_taken: explained(
    'Stripe accepted the hold on the old subscription, and yet it is not held. Both accounts may charge.',
    'Pause it in the Dashboard of the old account, then look again.',
    'crossbill verify',
  ),
  no_api: explained(
    'The access of this offer can only be changed over Kajabi’s API, and the project names no key of it.',
    'Change the access in Kajabi by hand, or give the project a key and try again.',
    redrive,
  ),
  endless_list: explained(
    'Kajabi’s list did not end, so what it says is not believed.',
    'Try again when Kajabi is well.',
    redrive,
  ),
  offer_url_missing: explained(
    'The offer has no activation or deactivation URL.',
    'Name it in catalog/access.yaml (urls), then try again.',
    redrive,
  ),
  offer_url_malformed: explained(
    'The offer’s activation or deactivation URL is none.',
    'Correct the secret that catalog/access.yaml names (urls), then try again.',
    redrive,
  ),
} as const satisfies Readonly<Record<string, Explanation>>

export type DeadReason = keyof typeof dead

/**
 * Dead letters by what was tried too often, and by what another system refused in its own words.
 */
const otherDead = {
  bug: explained(
    'A rule inside Crossbill does not hold, as the reason says. Nothing more is sent for this entry.',
    'Report it with the log line of this entry. Cancel the member by hand if they still pay, then discard the entry.',
    'crossbill cancel <who>',
  ),
  given_up: explained(
    'Every try for about eight hours failed.',
    'See whether Stripe and Kajabi answer, then try again.',
    redrive,
  ),
  refused: explained(
    'Stripe or Kajabi refused this for good, in the words behind the code; trying again by itself would change nothing.',
    'Mend what they name, then try again; or cancel by hand, and discard the entry.',
    redrive,
  ),
} as const

const discarded = explained('An operator closed this entry; nothing was cancelled for it.')

export interface Ended {
  readonly id: string
  readonly state: string
  readonly reason: string
}

/** The sentence for an entry that is at its end without a cancel; undefined for every other. */
export function explainEnd({ id, state, reason }: Ended): Explanation | undefined {
  const found = state === 'dead' ? explainDead(reason) : state === 'ignored' ? explainIgnored(reason) : undefined
  return found && { ...found, command: found.command.replace('{id}', id) }
}

/** The code that a reason begins with: `ambiguous` of `ambiguous: several …`. */
export function reasonCode(reason: string): string {
  return /^\w+(?=:|$)/.exec(reason)?.[0] ?? reason
}

function explainIgnored(reason: string): Explanation {
  return Object.hasOwn(ignored, reason) ? ignored[reason as IgnoredReason] : discarded
}

function explainDead(reason: string): Explanation {
  const code = reasonCode(reason)
  if (Object.hasOwn(dead, code)) return dead[code as DeadReason]
  if (code === 'bug') return otherDead.bug
  return reason.startsWith('given up') ? otherDead.given_up : otherDead.refused
}

export const ignoredReasons = Object.keys(ignored) as readonly IgnoredReason[]
export const deadReasons = Object.keys(dead) as readonly DeadReason[]
