/**
 * The result of an inbox entry, for the person who reads it: what happened, what to do next, and
 * the command that does it.
 */
export interface Explanation {
  readonly means: string
  readonly next: string
  /** Empty where there is nothing to do. */
  readonly command: string
}

const nothingToDo = 'No action is needed.'
const redrive = 'crossbill inbox redrive {id}'

function explained(means: string, next = nothingToDo, command = ''): Explanation {
  return { means, next, command }
}

/**
 * Why a signal cancels no subscription. Every ignored entry has one of these reasons, except
 * entries that an operator discarded with a reason of their own.
 */
const ignored = {
  event_never_acts: explained('Only a cancel tag asks for a cancel. This Kajabi event does not.'),
  names_no_contact_or_tag: explained('Kajabi’s hook named no contact or no tag, so it does not ask for a cancel.'),
  hook_cannot_be_verified_without_api: explained(
    'A hook counts only after Kajabi’s API confirms it, and this project has no API key. Nothing was cancelled.',
    'Configure an API key (`kajabi` in catalog/project.yaml), or cancel the members with this tag by hand.',
    'crossbill doctor',
  ),
  contact_unknown_in_kajabi: explained(
    'Kajabi has no contact with this id: the message was forged, or the contact was deleted.',
  ),
  tag_not_on_contact: explained(
    'The cancel tag is not on the contact: it was removed, or the request is already done.',
  ),
  names_no_contact_or_offer: explained('The offer that was missing is no longer in catalog/access.yaml.'),
  revoked_means_alert: explained(
    'An offer was revoked in Kajabi. The offer’s policy (revoked_means) does not treat a revoke as a request to cancel.',
    'Cancel the member if the revoke was meant as a cancel.',
    'crossbill cancel <who>',
  ),
  not_granted_by_crossbill: explained(
    'Crossbill did not grant the missing offer, so its absence does not mean a cancel.',
  ),
  protected_repair_instead: explained(
    'The member is being moved, and old integrations can revoke offers by mistake during a move. The offer is granted again and nothing is cancelled.',
  ),
  offer_is_there: explained('The second reading found the offer: the first answer from Kajabi was incomplete.'),
  access_followed: explained('A subscription ended. The offers that no other subscription pays for were revoked.'),
  old_is_over: explained('The old subscription has ended in the meantime, so it needs no hold.'),
  no_live_successor: explained(
    'The target has no live subscription that continues the old one, so the hold was not restored.',
    'Check whether the old subscription may collect.',
    'crossbill verify',
  ),
  several_successors: explained(
    'Several live subscriptions are marked as successors of the old one, so its hold was not restored.',
    'Cancel the wrong ones, then verify again.',
    'crossbill verify',
  ),
  left_to_recovery: explained('A move was in progress. Recovery finishes it or reverts it.'),
  not_on_hold_by_the_store: explained(
    'This store has no record that the subscriber was moved, so the hold was not restored.',
    'Check what the next apply would do.',
    'crossbill plan',
  ),
  hold_put_back: explained(
    'The hold on the old subscription was removed outside Crossbill. The subscription is on hold again.',
    'Check what the old account billed in the meantime.',
    'crossbill verify',
  ),
  hold_is_there: explained('The old subscription is on hold, as it should be.'),
  submission_unknown_in_kajabi: explained('Kajabi has no form submission with this id: the message was forged.'),
  nobody_has_this: explained('No member with the address on the form has this offer, so no link was sent.'),
  confirmation_link_sent: explained(
    'A confirmation link was sent to the member. The cancel happens when they confirm it.',
  ),
  asked_already: explained('An earlier signal for the same tag is still in progress and handles this request.'),
  no_match_for_offer: explained(
    'The member has subscriptions, but none of them gives the named offer. This happens when a payment plan is fully paid.',
    'If the member asked to leave, cancel the right subscription.',
    'crossbill cancel <who>',
  ),
  already_ended: explained('The subscription that gives this offer has already ended.'),
} as const satisfies Readonly<Record<string, Explanation>>

export type IgnoredReason = keyof typeof ignored

/**
 * Why a signal waits for a person. Codes from Stripe and Kajabi that are not listed here are
 * refusals, and are explained as refusals.
 */
const dead = {
  nobody: explained(
    'Crossbill knows no subscriber for this signal: neither a grant nor a mark in the target account matches it.',
    'Find the member, cancel their subscription by hand, and discard this entry.',
    'crossbill cancel <who>',
  ),
  no_offer_named: explained(
    'The signal names no offer, so the subscription to cancel is unknown. Nothing was cancelled.',
    'Add the tag to its offer in catalog/access.yaml (cancel_tags), or have the relay send the offer. Cancel this subscription by hand.',
    'crossbill cancel <who>',
  ),
  offers_unknown: explained(
    'The subscription that gives this offer is unknown, because catalog/access.yaml has an error. Nothing was cancelled.',
    'Correct catalog/access.yaml (crossbill validate names the place), restart crossbill serve, then retry this entry. Or cancel the right subscription.',
    'crossbill cancel <who>',
  ),
  mapping_differs: explained(
    'The member pays a price whose line in catalog/mappings names another price of the catalog, so which subscription gives this offer is unknown. Nothing was cancelled.',
    'Correct the line (crossbill plan names it), restart crossbill serve, then retry this entry. Or cancel the right subscription.',
    'crossbill cancel <source>/<subscription>',
  ),
  ambiguous: explained(
    'Several live subscriptions give this offer, and a wrong cancel cannot be undone. Nothing was cancelled.',
    'Cancel the right subscription by its id, then discard this entry.',
    'crossbill cancel <source>/<subscription>',
  ),
  subscribed_again: explained(
    'The subscription that Crossbill knows has ended, and the same customer pays for the offer through a newer one. Nothing was cancelled.',
    'If the member wants to leave, cancel the newer subscription, which the reason names. Then discard this entry.',
    'crossbill cancel <account>/<subscription>',
  ),
  contradicting_ids: explained(
    'The relay sent ids of different people in one request, so either may be wrong. Nothing was cancelled.',
    'Correct the relay. Find out which member wants to leave, cancel their subscription by hand, and discard this entry.',
    'crossbill cancel <account>/<subscription>',
  ),
  subscription_missing: explained(
    'Neither account has this subscription: it belongs to another account, or the copy of the project is wrong.',
    'Find the member by their address, cancel their subscription by hand, and discard this entry.',
    'crossbill cancel <who>',
  ),
  successor_unseen: explained(
    'The old subscription is on hold as after a finished move, or was settled, but the target does not show the new one: neither by its mark, nor by its id, nor under the copied customer. It may still charge the member. Nothing was cancelled.',
    'Look for the new subscription in the Dashboard of the target and cancel it with the command below. Then cancel the old one in the Dashboard of its account if it has not ended, and discard this entry.',
    'crossbill cancel target/<subscription>',
  ),
  source_unknown: explained(
    'The signal refers to a subscription of an account that the project no longer names.',
    'Add the account to catalog/project.yaml again, then retry.',
    redrive,
  ),
  no_mailer: explained(
    'A form asked for a cancel link, but the project has no mailer. No link was sent.',
    'Set serve.mailer in catalog/project.yaml, or send the member a link yourself.',
    'crossbill cancel-link <who>',
  ),
  contact_ambiguous: explained(
    'Several contacts in Kajabi have the same address, so the right one is unknown.',
    'Merge the contacts in Kajabi, then retry.',
    redrive,
  ),
  hold_mark_lost: explained(
    'The old subscription collects although its successor is live, and the data of its hold is lost. Both accounts will charge.',
    'Restore the hold now.',
    'crossbill apply',
  ),
  hold_not_taken: explained(
    'Stripe accepted the hold on the old subscription, but the subscription is still not held. Both accounts may charge.',
    'Pause it in the Dashboard of the old account, then verify again.',
    'crossbill verify',
  ),
  no_api: explained(
    'The access of this offer can only be changed through Kajabi’s API, and the project has no API key.',
    'Change the access in Kajabi by hand, or configure an API key and retry.',
    redrive,
  ),
  endless_list: explained(
    'Kajabi’s list did not end, so its content is not trusted.',
    'Retry when Kajabi works normally.',
    redrive,
  ),
  offer_url_missing: explained(
    'The offer has no activation or deactivation URL.',
    'Add it in catalog/access.yaml (urls), then retry.',
    redrive,
  ),
  offer_url_malformed: explained(
    'The offer’s activation or deactivation URL is not a valid URL.',
    'Correct the secret that catalog/access.yaml names (urls), then retry.',
    redrive,
  ),
} as const satisfies Readonly<Record<string, Explanation>>

export type DeadReason = keyof typeof dead

/**
 * Dead letters after too many tries, and dead letters that another system refused in its own words.
 */
const otherDead = {
  bug: explained(
    'An internal rule of Crossbill was broken, as the reason says. Nothing more is sent for this entry.',
    'Report it with the log line of this entry. If the member still pays, cancel their subscription by hand, then discard the entry.',
    'crossbill cancel <who>',
  ),
  given_up: explained(
    'Every try failed for about eight hours.',
    'Check that Stripe and Kajabi answer, then retry.',
    redrive,
  ),
  refused: explained(
    'Stripe or Kajabi refused this permanently; the text after the code is their reason. An automatic retry would not help.',
    'Fix what the reason names, then retry; or cancel by hand and discard the entry.',
    redrive,
  ),
} as const

const discarded = explained('An operator discarded this entry. Nothing was cancelled for it.')

export interface Ended {
  readonly id: string
  readonly state: string
  readonly reason: string
}

/** Explains an entry that ended without a cancel. Undefined for every other entry. */
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
