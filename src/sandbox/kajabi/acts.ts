import type { JsonObject } from '../../core/json.ts'
import { formatInstant } from '../../core/instant.ts'
import { grant, newContact, purchase, revoke } from './access.ts'
import { automate, submitForm } from './forms.ts'
import { redeliverAll } from './hooks.ts'
import type { Contact, Form, Offer, Tag } from './model.ts'
import { voidTokens } from './oauth.ts'
import { addTag, removeTag } from './relations.ts'
import { text } from './requests.ts'
import type { Site } from './site.ts'

/** The result of an act; `problem` when the act names something that does not exist. */
export type ActOutcome = { done: JsonObject } | { problem: string }

class Unknown extends Error {}

/**
 * Acts of people and of automations in Kajabi, for tests and demonstrations. `contact` is an id or
 * an e-mail address; tags, offers and forms are named by id or title.
 */
const acts: Readonly<Record<string, (site: Site, order: JsonObject) => JsonObject>> = {
  make_tag: (site, order) => ({ tag: makeTag(site, word(order, 'name')).id }),
  make_offer: (site, order) => ({ offer: makeOffer(site, order).id }),
  make_form: (site, order) => ({ form: makeForm(site, order).id }),
  make_contact(site, order) {
    const email = word(order, 'email')
    const known = site.contactOf(email)
    const row = known ?? newContact(site, { name: text(order, 'name') ?? '', email })
    return { contact: row.id }
  },
  add_tag(site, order) {
    const quietly = order['by'] === 'automation' && !site.behaviour.automation_tags_fire
    addTag(site, contact(site, order).id, tag(site, order), quietly)
    return {}
  },
  remove_tag(site, order) {
    removeTag(site, contact(site, order).id, tag(site, order))
    return {}
  },
  submit_form(site, order) {
    const row = submitForm(site, form(site, order), {
      name: text(order, 'name') ?? 'Member',
      email: word(order, 'email'),
    })
    return { submission: row.id }
  },
  grant(site, order) {
    grant(site, contact(site, order).id, offer(site, order), { by: 'hand', mail: 'welcome' })
    return {}
  },
  revoke(site, order) {
    const reason = text(order, 'reason') ?? 'Revoked'
    return { revoked: revoke(site, contact(site, order).id, offer(site, order).id, reason) }
  },
  /** Switches the products of a grant off while the grant stays listed. */
  switch_off_products(site, order) {
    const row = site.grants.get(`${contact(site, order).id}/${offer(site, order).id}`)
    if (row === undefined) throw new Unknown('the contact has no such offer')
    site.grants.put({ ...row, products_active: false })
    return {}
  },
  purchase: (site, order) => ({ purchase: purchase(site, contact(site, order).id, offer(site, order)).id }),
  /**
   * "Recurring payments cancelled": the automation that also runs when a payment plan is fully
   * paid.
   */
  payments_cancelled(site, order) {
    automate(site, contact(site, order).id, { adds_tags: [tag(site, order).id], revokes_offers: [] })
    return {}
  },
  rotate_key(site) {
    voidTokens(site)
    return {}
  },
  kill_hooks(site) {
    for (const hook of site.hooks.all()) site.hooks.put({ ...hook, dead: true })
    return {}
  },
  redeliver: (site) => ({ sent: redeliverAll(site) }),
}

export function act(site: Site, order: JsonObject): ActOutcome {
  const name = text(order, 'act') ?? ''
  const does = acts[name]
  if (does === undefined) return { problem: `there is no act "${name}"; the acts are: ${Object.keys(acts).join(', ')}` }
  try {
    return { done: does(site, order) }
  } catch (error) {
    if (error instanceof Unknown) return { problem: error.message }
    throw error
  }
}

/** The parts of the site that its API does not show, for tests. */
export function overview(site: Site): JsonObject {
  const now = formatInstant(site.now())
  const count = (rows: { size: number }): number => rows.size
  const mails = [...site.mails.all()].map((mail) => ({ ...mail, created: formatInstant(mail.created) }))
  return {
    clock: now,
    site: site.id,
    contacts: count(site.contacts),
    customers: count(site.customers),
    grants: count(site.grants),
    purchases: count(site.purchases),
    hooks: count(site.hooks),
    undelivered: count(site.deliveries),
    mails,
    offers: [...site.offers.all()].map(({ id, title, url_key, access_days }) => ({
      id,
      title,
      access_days,
      activate: `/kajabi/webhooks/offers/${url_key}/${id}/activate`,
      deactivate: `/kajabi/webhooks/offers/${url_key}/${id}/deactivate`,
    })),
    tags: [...site.tags.all()].map(({ id, name }) => ({ id, name })),
    forms: [...site.forms.all()].map(({ id, title }) => ({ id, title })),
  }
}

export function makeTag(site: Site, name: string): Tag {
  const row: Tag = { id: site.newId('contact_tags'), name, created: site.now() }
  site.tags.put(row)
  return row
}

const kinds = ['free', 'one_time', 'subscription', 'payment_plan'] as const

export function makeOffer(site: Site, order: JsonObject): Offer {
  const now = site.now()
  const title = word(order, 'title')
  const products = word(order, 'products', title)
    .split(',')
    .map((name) => {
      const known = [...site.products.all()].find((row) => row.title === name)
      if (known !== undefined) return known.id
      const row = { id: site.newId('products'), title: name, created: now }
      site.products.put(row)
      return row.id
    })
  const row: Offer = {
    id: site.newId('offers'),
    title,
    internal_title: null,
    currency: 'USD',
    price_in_cents: typeof order['price'] === 'number' ? order['price'] : 0,
    kind: kinds.find((kind) => kind === order['kind']) ?? 'free',
    payments: typeof order['payments'] === 'number' ? order['payments'] : null,
    access_days: typeof order['access_days'] === 'number' ? order['access_days'] : null,
    products,
    url_key: site.secret('kajabi.offer_key', 24),
    token: site.secret('kajabi.offer_token', 8),
    created: now,
  }
  site.offers.put(row)
  return row
}

export function makeForm(site: Site, order: JsonObject): Form {
  const ids = (name: string): string[] => {
    const value = order[name]
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
  }
  const row: Form = {
    id: site.newId('forms'),
    title: word(order, 'title'),
    webhook_url: null,
    adds_tags: ids('adds_tags'),
    revokes_offers: ids('revokes_offers'),
    created: site.now(),
  }
  site.forms.put(row)
  return row
}

function word(order: JsonObject, name: string, otherwise?: string): string {
  const value = text(order, name) ?? otherwise
  if (value === undefined) throw new Unknown(`the act needs "${name}"`)
  return value
}

function contact(site: Site, order: JsonObject): Contact {
  const named = word(order, 'contact')
  const row = site.contacts.get(named) ?? site.contactOf(named)
  if (row === undefined) throw new Unknown('no such contact')
  return row
}

function tag(site: Site, order: JsonObject): Tag {
  const named = word(order, 'tag')
  const row = site.tags.get(named) ?? [...site.tags.all()].find((known) => known.name === named)
  if (row === undefined) throw new Unknown(`no such tag: ${named}`)
  return row
}

function offer(site: Site, order: JsonObject): Offer {
  const named = word(order, 'offer')
  const row = site.offers.get(named) ?? [...site.offers.all()].find((known) => known.title === named)
  if (row === undefined) throw new Unknown(`no such offer: ${named}`)
  return row
}

function form(site: Site, order: JsonObject): Form {
  const named = word(order, 'form')
  const row = site.forms.get(named) ?? [...site.forms.all()].find((known) => known.title === named)
  if (row === undefined) throw new Unknown(`no such form: ${named}`)
  return row
}
