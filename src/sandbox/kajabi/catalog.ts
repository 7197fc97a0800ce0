import { instant } from '../../core/instant.ts'
import type { Json } from '../../core/json.ts'
import { type Answer, document, noContent, refuse } from './answers.ts'
import { submitForm } from './forms.ts'
import { type ListRoute, type Resource, list } from './lists.ts'
import { type Form, type FormSubmission, type Hook, hookEvents, type Offer, type Product, type Tag } from './model.ts'
import { offerFor } from './relations.ts'
import { type SiteRequest, deliverable, resourceBody, siteNamed, text } from './requests.ts'
import {
  formResource,
  hookResource,
  identifiers,
  offerResource,
  productResource,
  submissionResource,
  tagResource,
} from './resources.ts'
import type { Site } from './site.ts'

const found = <T>(row: T | undefined): T => {
  if (row === undefined) throw refuse(404, 'The requested resource could not be found.')
  return row
}

export const show = (resource: Resource): Answer => document({ data: resource as unknown as Json })

const byId = { created_at: (row: { id: string }): number => Number(row.id) }

function siteResource(site: Site): Resource {
  const created = '2019-03-04T10:00:00Z'
  const attributes = { title: 'Formulation School', subdomain: 'school', created_at: created, updated_at: created }
  return { id: site.id, type: 'sites', attributes }
}

export function listSites(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<{ id: string }> = {
    path: '/v1/sites',
    type: 'sites',
    sorts: byId,
    filters: {},
    render: () => siteResource(site),
    meta: 'pages',
  }
  return list(route, [{ id: site.id }], request.query)
}

export function showSite(site: Site, id: string): Answer {
  if (id !== site.id) throw refuse(404, 'The requested resource could not be found.')
  return show(siteResource(site))
}

export function listOffers(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<Offer> = {
    path: '/v1/offers',
    type: 'offers',
    sorts: { ...byId, title: (row) => row.title },
    filters: {
      site_id: (_, asked) => asked === site.id,
      title_cont: (row, asked) => row.title.includes(asked),
      description_cont: () => false,
    },
    render: (row) => offerResource(site, row),
    meta: 'pages',
  }
  return list(route, site.offers.all(), request.query)
}

export function listTags(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<Tag> = {
    path: '/v1/contact_tags',
    type: 'contact_tags',
    sorts: { ...byId, name: (row) => row.name },
    filters: {
      site_id: (_, asked) => asked === site.id,
      name_cont: (row, asked) => row.name.toLowerCase().includes(asked.toLowerCase()),
    },
    render: (row) => tagResource(site, row),
    meta: 'pages',
  }
  return list(route, site.tags.all(), request.query)
}

export function showTag(site: Site, id: string): Answer {
  return show(tagResource(site, found(site.tags.get(id))))
}

export function listProducts(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<Product> = {
    path: '/v1/products',
    type: 'products',
    sorts: byId,
    filters: {
      site_id: (_, asked) => asked === site.id,
      title_cont: (row, asked) => row.title.includes(asked),
    },
    unmodelled: ['status_eq', 'description_cont', 'exclude_product_types'],
    render: (row) => productResource(site, row),
    meta: 'pages',
  }
  return list(route, site.products.all(), request.query)
}

export function showProduct(site: Site, id: string): Answer {
  return show(productResource(site, found(site.products.get(id))))
}

export function showOffer(site: Site, id: string): Answer {
  return show(offerResource(site, offerFor(site, id)))
}

export function offerProducts(site: Site, id: string): Answer {
  return document({ data: identifiers('products', offerFor(site, id).products) })
}

export function listForms(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<Form> = {
    path: '/v1/forms',
    type: 'forms',
    sorts: byId,
    filters: {
      site_id: (_, asked) => asked === site.id,
      title_cont: (row, asked) => row.title.includes(asked),
    },
    render: (row) => formResource(site, row),
    meta: 'pages',
  }
  return list(route, site.forms.all(), request.query)
}

export function showForm(site: Site, id: string): Answer {
  return show(formResource(site, found(site.forms.get(id))))
}

export function postSubmission(site: Site, request: SiteRequest, id: string): Answer {
  const form = found(site.forms.get(id))
  const { attributes } = resourceBody(request, 'form_submissions')
  const email = text(attributes, 'email') ?? ''
  const name = text(attributes, 'name') ?? ''
  if (name === '') throw refuse(422, "Name can't be blank", '/data/attributes/name')
  if (!deliverable(email)) throw refuse(422, 'Email is invalid', '/data/attributes/email')
  const row = submitForm(site, form, { name, email })
  return document({ data: submissionResource(site, row) as unknown as Json }, 201)
}

export function listSubmissions(site: Site, request: SiteRequest): Answer {
  const route: ListRoute<FormSubmission> = {
    path: '/v1/form_submissions',
    type: 'form_submissions',
    sorts: byId,
    filters: { site_id: (_, asked) => asked === site.id, form_id: (row, asked) => row.form === asked },
    render: (row) => submissionResource(site, row),
    meta: 'pages',
  }
  return list(route, site.submissions.all(), request.query)
}

export function showSubmission(site: Site, id: string): Answer {
  return show(submissionResource(site, found(site.submissions.get(id))))
}

export function listHooks(site: Site, request: SiteRequest): Answer {
  mayManageHooks(site)
  const route: ListRoute<Hook> = {
    path: '/v1/hooks',
    type: 'hooks',
    sorts: byId,
    filters: { event_eq: (row, asked) => row.event === asked },
    render: (row) => hookResource(site, row),
    meta: 'pages',
  }
  const listed = [...site.hooks.all()].filter((hook) => !hook.dead || site.behaviour.dead_hooks_listed)
  return list(route, listed, request.query)
}

export function showHook(site: Site, id: string): Answer {
  mayManageHooks(site)
  return show(hookResource(site, found(site.hooks.get(id))))
}

/** Hooks are created and deleted, never changed. The site probes the address after the answer. */
export function createHook(site: Site, request: SiteRequest): Answer {
  mayManageHooks(site)
  const { data, attributes } = resourceBody(request, 'hooks')
  siteNamed(data)
  const event = hookEvents.find((known) => known === attributes['event'])
  if (event === undefined) throw refuse(422, 'Event is not included in the list', '/data/attributes/event')
  const target = text(attributes, 'target_url') ?? ''
  if (!/^https?:\/\/\S+$/.test(target)) throw refuse(422, 'Target url is invalid', '/data/attributes/target_url')
  const resource = attributes['resource_id']
  const row: Hook = {
    id: site.newId('hooks'),
    event,
    target_url: target,
    resource_id: typeof resource === 'string' || typeof resource === 'number' ? String(resource) : null,
    dead: false,
    created: instant(site.now()),
  }
  site.hooks.put(row)
  site.probe(row)
  return document({ data: hookResource(site, row) as unknown as Json }, 201)
}

export function deleteHook(site: Site, id: string): Answer {
  mayManageHooks(site)
  found(site.hooks.get(id))
  site.hooks.delete(id)
  return noContent()
}

function mayManageHooks(site: Site): void {
  if (!site.behaviour.hooks_permitted) throw refuse(403, 'Insufficient permission to access the resource.')
}
