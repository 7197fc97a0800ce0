import { present } from '../../core/assert.ts'
import { instant } from '../../core/instant.ts'
import type { Contact, Delivery, Form, FormSubmission, Hook, HookEvent, Purchase, Tag } from './model.ts'
import type { Resource } from './lists.ts'
import {
  contactResource,
  customerResource,
  formResource,
  offerResource,
  purchaseResource,
  submissionResource,
  tagResource,
} from './resources.ts'
import type { Site } from './site.ts'

/**
 * Outgoing hooks. They have no signature, no timestamp and no delivery id: `id` names the resource
 * that caused the event, so two different events may carry the same `id`. Grants, revocations and
 * cancels send no hook at all.
 */
export function announceTag(site: Site, event: 'tag_added' | 'tag_removed', contact: Contact, tag: Tag): void {
  fire(site, event, tag.id, tag.id, [contactResource(site, contact), tagResource(site, tag)])
}

export function announceSubmission(site: Site, row: FormSubmission, form: Form): void {
  fire(site, 'form_submission', form.id, row.id, [submissionResource(site, row), formResource(site, form)])
}

export function announcePurchase(site: Site, row: Purchase): void {
  const offer = present(site.offers.get(row.offer), `offer of purchase ${row.id}`)
  const customer = present(site.customers.get(row.customer), `customer of purchase ${row.id}`)
  const payload = [purchaseResource(site, row), offerResource(site, offer), customerResource(site, customer)]
  fire(site, 'purchase', offer.id, row.id, payload)
}

function fire(site: Site, event: HookEvent, resource: string, id: string, payload: Resource[]): void {
  const body = JSON.stringify({ id, event, payload })
  for (const hook of site.hooks.all()) {
    if (hook.dead || hook.event !== event) continue
    if (hook.resource_id !== null && hook.resource_id !== resource) continue
    deliver(site, hook, body)
  }
}

function deliver(site: Site, hook: Hook, body: string): void {
  const delivery: Delivery = {
    id: site.newId('deliveries'),
    hook: hook.id,
    target_url: hook.target_url,
    body,
    attempts: 0,
    next: site.now(),
    created: site.now(),
  }
  site.deliveries.put(delivery)
  site.send(delivery)
}

/**
 * Seconds between attempts. Kajabi retries "for hours" (an owner's report); the exact schedule is
 * not published.
 */
const retries = [60, 300, 900, 1_800, 3_600, 7_200]

/** Records the result of an attempt: done, repeated later by the site's clock, or given up. */
export function delivered(site: Site, id: string, status: number | undefined): void {
  const delivery = site.deliveries.get(id)
  if (delivery === undefined) return
  const wait = retries[delivery.attempts]
  if ((status !== undefined && status >= 200 && status < 300) || wait === undefined) {
    site.deliveries.delete(id)
    return
  }
  const next = instant(site.now() + wait)
  site.deliveries.put({ ...delivery, attempts: delivery.attempts + 1, next })
  site.schedule(next, 'kajabi.redeliver', id)
}

export function redeliver(site: Site, id: string): void {
  const delivery = site.deliveries.get(id)
  if (delivery !== undefined && delivery.next <= site.now()) site.send(delivery)
}

/** Sends every unanswered delivery at once: after a restart, or while the clock stands still. */
export function redeliverAll(site: Site): number {
  const waiting = [...site.deliveries.all()]
  for (const delivery of waiting) site.send(delivery)
  return waiting.length
}

/**
 * Kajabi probes the address of a new hook with HEAD or GET. After a 405 it stops using the hook
 * without a notice.
 */
export function probed(site: Site, id: string, status: number | undefined): void {
  const hook = site.hooks.get(id)
  if (hook !== undefined && status === 405) site.hooks.put({ ...hook, dead: true })
}
