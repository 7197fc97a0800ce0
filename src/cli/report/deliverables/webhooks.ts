import type { Document } from '../document.ts'
import type { Endpoint, Evidence } from '../evidence.ts'
import { code } from './words.ts'

/** Old endpoints and what becomes of each, new ones, and the keys with their permissions. */
export function webhooks({ endpoints, catalog, plan }: Evidence): Document {
  const old = endpoints.filter(({ account }) => account !== 'target')
  const present = endpoints.filter(({ account }) => account === 'target')
  const declared = catalog.resources.filter(({ kind }) => kind === 'webhook_endpoint')
  const open = new Set(plan.changes.map(({ address }) => address))
  return {
    slug: 'webhooks',
    title: 'Webhooks, endpoints and keys',
    intro: 'Stripe copies no webhook endpoint. Addresses are shown without their query, and no secret is shown.',
    sections: [
      {
        heading: `Endpoints of the old accounts (${old.length})`,
        table: {
          heads: ['account', 'address', 'state', 'events', 'what becomes of it'],
          rows: old.map((one) => [one.account, code(one.url), one.status, eventsOf(one), fateOf(one)]),
        },
      },
      {
        heading: `Endpoints of the new account (${present.length})`,
        table: {
          heads: ['address', 'state', 'events', 'whose'],
          rows: present.map((one) => [
            code(one.url),
            one.status,
            eventsOf(one),
            one.isService
              ? 'the cancel service'
              : declared.some(({ value }) => value['url'] === one.url)
                ? 'the catalog'
                : 'others',
          ]),
        },
      },
      {
        heading: `Endpoints in the catalog (${declared.length})`,
        table: {
          heads: ['key', 'address', 'state'],
          rows: declared.map(({ address, key, value }) => [
            code(key),
            code(String(value['url'] as string)),
            open.has(address) ? 'with the next `crossbill apply`' : 'in the new account',
          ]),
        },
      },
      {
        heading: 'Keys and their permissions',
        text: 'One restricted key for each account. `crossbill doctor` lists missing permissions.',
        table: {
          heads: ['account', 'while planning', 'while migrating', 'after the last settle'],
          rows: Object.keys(plan.basis.accounts).map((name) =>
            name === 'target'
              ? [
                  name,
                  'read',
                  'read and write: customers, catalog, subscriptions, invoices, payment methods',
                  'the same',
                ]
              : [name, 'read', 'read; write: subscriptions, schedules, invoices', 'take the write permissions away'],
          ),
        },
      },
    ],
  }
}

function eventsOf({ events }: Endpoint): string {
  return events.includes('*') ? 'all' : events.join(', ')
}

function fateOf({ isService, status, events }: Endpoint): string {
  if (isService) return 'stays until the last wave is settled'
  if (status !== 'enabled') return 'is off already'
  const hears = events.includes('*') || events.includes('customer.subscription.deleted')
  return hears
    ? 'disable it before the first settle: its integration would take access from members who only moved'
    : 'keep it until nothing in the old account is used, then delete it'
}
