// A Kajabi site beside the accounts: /kajabi/v1/* is its API, /kajabi/webhooks/* holds its offer
// addresses. It follows the official description 1.1.0 and reports of owners of live sites.
import { present } from '../../core/assert.ts'
import { ControlRefusal, textOf } from '../kernel/control.ts'
import { idFor } from '../kernel/ids.ts'
import type { ControlInput, HttpAnswer, HttpRequest, Module } from '../kernel/module.ts'
import type { World } from '../kernel/world.ts'
import type { Json } from '../../core/json.ts'
import { accessEnds } from './access.ts'
import { act, overview } from './acts.ts'
import { type Answer, page } from './answers.ts'
import { redeliver } from './hooks.ts'
import { usualBehaviour } from './model.ts'
import { postDelivery, probeHook } from './outgoing.ts'
import type { SiteKey } from './oauth.ts'
import { answer } from './routes.ts'
import { Site } from './site.ts'

const sites = new WeakMap<World, Site>()

/** The only site of the world. */
export function siteOf(world: World): Site {
  const known = sites.get(world)
  if (known !== undefined) return known
  const space = world.space('kajabi')
  const site: Site = new Site({
    table: (definition) => space.table(definition),
    now: () => world.now,
    secret: (kind, n, length) => idFor(world.seed, `kajabi/${kind}`, 'cus', n).slice(4).repeat(5).slice(0, length),
    // Due work belongs to an account; the site's work is stored in the first one.
    schedule: (at, kind, key) =>
      world.schedule(present([...world.accounts.values()][0], 'an account'), at, { kind, key }),
    send: (delivery) => postDelivery(world, site, delivery),
    probe: (hook) => probeHook(world, site, hook),
  })
  sites.set(world, site)
  return site
}

/** The key of the site's API. `api_base` replaces `https://api.kajabi.com`, without the `/v1`. */
function siteKey(world: World): SiteKey {
  return { client_id: `sandbox_client_${world.seed}`, client_secret: `sandbox_secret_${world.seed}` }
}

export interface KajabiReady extends SiteKey {
  readonly site: string
  /** A path; the client puts the address of the server before it. */
  readonly api_base: string
}

export function kajabiReady(world: World): KajabiReady {
  return { site: siteOf(world).id, ...siteKey(world), api_base: '/kajabi' }
}

export const kajabiModule: Module = {
  mounts: { '/kajabi/': (world, request) => respond(world, request) },
  control: {
    'GET kajabi': (world) => overview(siteOf(world)),
    'POST kajabi': (world, input) => order(world, input),
    'POST kajabi_behaviour': (world, input) => world.transact(() => change(siteOf(world), input)),
  },
  due: {
    'kajabi.access_ends': { rank: 200, run: (context, key) => accessEnds(siteOf(context.world), key) },
    'kajabi.redeliver': { rank: 300, run: (context, key) => redeliver(siteOf(context.world), key) },
  },
}

function respond(world: World, request: HttpRequest): HttpAnswer {
  const path = request.url.pathname.slice('/kajabi'.length)
  const { method, headers, body } = request
  const site = siteOf(world)
  try {
    return world.transact(() =>
      wire(answer(site, siteKey(world), { method, path, query: request.url.searchParams, headers, body })),
    )
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return wire(page(400, 'Bad Request'))
  }
}

function wire(given: Answer): HttpAnswer {
  return { status: given.status, headers: { 'content-type': given.type, ...given.headers }, body: given.body }
}

function order(world: World, input: ControlInput): object {
  textOf(input, 'act')
  const outcome = world.transact(() => act(siteOf(world), input as Readonly<Record<string, Json>>))
  if ('problem' in outcome) throw new ControlRefusal(outcome.problem)
  return outcome.done
}

/** Sets switches of the site's unsure behaviour; unknown names are refused. */
function change(site: Site, input: ControlInput): object {
  for (const [name, value] of Object.entries(input)) {
    const known = Object.entries(usualBehaviour).find(([key]) => key === name)
    if (known === undefined || typeof known[1] !== typeof value)
      throw new ControlRefusal(
        `there is no behaviour "${name}" of that type; the behaviours are: ${Object.keys(usualBehaviour).join(', ')}`,
      )
    site.behave({ [name]: value })
  }
  return site.behaviour
}
