import { newContact, revoke } from './access.ts'
import { announceSubmission } from './hooks.ts'
import type { Form, FormSubmission } from './model.ts'
import { addTag } from './relations.ts'
import type { Site } from './site.ts'

/**
 * A visitor submits a form. The site believes the e-mail address as it was typed: it finds or
 * creates the contact and subscribes it, automations add the form's tags and revoke its offers, and
 * the hook is sent without a contact id.
 */
export function submitForm(site: Site, form: Form, typed: { name: string; email: string }): FormSubmission {
  const contact = site.contactOf(typed.email) ?? newContact(site, { ...typed, subscribed: true })
  const row: FormSubmission = {
    id: site.newId('form_submissions'),
    form: form.id,
    name: typed.name,
    email: typed.email,
    created: site.now(),
  }
  site.submissions.put(row)
  announceSubmission(site, row, form)
  automate(site, contact.id, form)
  return row
}

/** What an automation does to a contact: it adds tags and revokes offers. */
export function automate(
  site: Site,
  contactId: string,
  actions: { adds_tags: readonly string[]; revokes_offers: readonly string[] },
): void {
  for (const tagId of actions.adds_tags) {
    const tag = site.tags.get(tagId)
    if (tag !== undefined) addTag(site, contactId, tag, !site.behaviour.automation_tags_fire)
  }
  for (const offerId of actions.revokes_offers) revoke(site, contactId, offerId, 'Revoked by automation')
}
