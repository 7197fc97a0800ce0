import { afterEach, beforeEach, expect, test } from 'vitest'
import { signLink } from '../../src/cancel/link.ts'
import { signCardLink } from '../../src/cards/link.ts'
import { instant } from '../../src/core/instant.ts'
import { hookSecret, linkSecret, now, runService, type Running } from './service.ts'

const key = Buffer.from(linkSecret, 'base64')
const expires = instant(now + 600)
const cancelLink = signLink({ subscriber: 'us/sub_1', offer: 'membership', expires, id: 'link-1' }, key)
const cardLink = signCardLink({ subscriber: 'us/sub_1', customer: 'cus_1', expires }, key)
const hook = {
  id: '77',
  event: 'tag_added',
  payload: [
    { id: '77', type: 'contact_tags', attributes: { name: 'cancel' } },
    { id: '9', type: 'contacts', attributes: { email: 'ada@school.example' } },
  ],
}

const thrown = (): never => {
  throw new TypeError('seeded')
}
const bug = (): Promise<never> => Promise.reject(new TypeError('seeded'))

let running: Running
beforeEach(async () => {
  running = await runService({ describe: async () => running.ending.value })
})
afterEach(() => running.service.close())

const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }
const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(hook) }

interface Case {
  readonly path: string
  readonly init?: RequestInit
  readonly admin?: true
  readonly seed: (running: Running) => unknown
  readonly status: number
  readonly where: string
}

/** Every call of a listener to what it works with. */
const cases: Readonly<Record<string, Case>> = {
  'the store of a signal': {
    path: `/kajabi/hooks/${hookSecret}`,
    init: json,
    seed: ({ store }) => (store.accept = bug),
    status: 503,
    where: 'the acceptance of signals',
  },
  'the button of a cancel link': {
    path: `/cancel/${cancelLink}`,
    init: form,
    seed: ({ store }) => (store.accept = bug),
    status: 503,
    where: 'the acceptance of signals',
  },
  'the page of a cancel link': {
    path: `/cancel/${cancelLink}`,
    seed: ({ ending }) => Object.defineProperty(ending, 'value', { get: thrown }),
    status: 200,
    where: 'the page of a member',
  },
  'the state of a pressed link': {
    path: `/cancel/${cancelLink}`,
    seed: ({ pressed }) => (pressed.get = thrown),
    status: 500,
    where: 'a request',
  },
  'the state of a card': {
    path: `/card/${cardLink}`,
    seed: ({ cards }) => (cards.state = bug),
    status: 503,
    where: 'the card page',
  },
  'the button of a card link': {
    path: `/card/${cardLink}`,
    init: form,
    seed: ({ cards }) => (cards.open = bug),
    status: 503,
    where: 'the card page',
  },
  'the readiness check': {
    path: '/readyz',
    seed: ({ store }) => Object.defineProperty(store, 'ready', { get: thrown }),
    status: 503,
    where: 'the readiness check',
  },
  'the metrics': {
    path: '/metrics',
    admin: true,
    seed: ({ status }) => Object.defineProperty(status, 'value', { get: thrown }),
    status: 500,
    where: 'a request',
  },
  'the status page': {
    path: '/',
    admin: true,
    seed: ({ status }) => Object.defineProperty(status, 'value', { get: thrown }),
    status: 500,
    where: 'a request',
  },
}

test.each(Object.entries(cases))(
  'a bug in %s is reported, whatever the sender is answered',
  async (_, { path, init, admin, seed, status, where }) => {
    seed(running)
    const answer = await fetch(`${admin === true ? running.service.adminUrl : running.service.url}${path}`, init)
    expect(answer.status).toBe(status)
    expect(await answer.text()).not.toContain('seeded')
    expect(running.alerts).toContainEqual(
      expect.objectContaining({ severity: 'critical', summary: `a bug of Crossbill in ${where}: seeded` }),
    )
  },
)
