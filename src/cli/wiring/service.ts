import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pagerDuty, slack, webhook, type Channel } from '../../alerts/channels.ts'
import { email } from '../../alerts/email.ts'
import { openAlerts, type Alerts } from '../../alerts/open.ts'
import { mailConfirmation } from '../../alerts/mailer.ts'
import { signLink } from '../../cancel/link.ts'
import type { SecretRef } from '../../catalog/secret-schema.ts'
import type { AlertsConfig, ServeConfig } from '../../catalog/service-schema.ts'
import { failed } from '../../core/outcome.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { openCardPage } from '../../engine/cards/session.ts'
import { cardState } from '../../engine/cards/state.ts'
import { acceptSignal } from '../../engine/inbox/accept.ts'
import { reportBug } from '../../engine/inbox/bugs.ts'
import type { LogLine } from '../../engine/inbox/context.ts'
import { withCircuits } from '../../engine/inbox/circuit.ts'
import { accountAway } from '../../engine/send/listed.ts'
import { describeEnding } from '../../engine/inbox/ending.ts'
import { pressedLink } from '../../engine/inbox/pressed.ts'
import type { ReconcileContext } from '../../engine/inbox/reconcile.ts'
import type { Serving } from '../../engine/inbox/serve.ts'
import { serviceStatus } from '../../engine/inbox/status.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { ServerContext, ServerSecrets } from '../../server/context.ts'
import { openMetrics } from '../../server/metrics.ts'
import type { TrustedProxies } from '../../server/app.ts'
import type { School } from '../../server/page.ts'
import { linkKey } from '../../server/secrets.ts'
import { inboxContext, type Announcing } from './inbox-context.ts'
import { silent } from '../progress.ts'
import type { OpenProject } from './project.ts'
import { publicUrl, serviceSecrets } from './service-secrets.ts'
import type { Shell } from '../shell.ts'
import { tool } from '../version.ts'

/** The settings of `serve:` in project.yaml, with defaults. */
export interface ServiceSettings {
  readonly host: string
  readonly port: number
  readonly adminHost: string
  readonly adminPort: number
  readonly pollSeconds: number
  readonly linkDays: number
  readonly requestsPerMinute: number
  readonly trustProxy: TrustedProxies
}

export function serviceSettings(serve: JsonObject = {}): ServiceSettings {
  const number = (value: Json | undefined, otherwise: number): number => (typeof value === 'number' ? value : otherwise)
  const host = (value: Json | undefined): string => (typeof value === 'string' ? value : '127.0.0.1')
  return {
    host: host(serve['host']),
    port: number(serve['port'], 8_787),
    adminHost: host(serve['admin_host']),
    adminPort: number(serve['admin_port'], 8_788),
    pollSeconds: number(serve['poll_seconds'], 30),
    linkDays: number(serve['link_days'], 14),
    requestsPerMinute: number(serve['requests_per_minute'], 600),
    trustProxy: trustedProxies(serve['trust_proxy']),
  }
}

function trustedProxies(value: Json | undefined): TrustedProxies {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'number' ? value : value === true ? 1 : 0
}

export async function readServerSecrets(serve: ServeConfig | undefined, shell: Shell): Promise<ServerSecrets> {
  const named = Object.entries(serve?.stripe_webhook_secrets ?? {})
  const stripe = await Promise.all(
    named.map(async ([account, ref]) => {
      const purpose = `serve.stripe_webhook_secrets.${account}`
      const refs = Array.isArray(ref) ? ref : [ref]
      return [account, await Promise.all(refs.map(async (one) => secretOf(one, purpose, shell)))] as const
    }),
  )
  return {
    hooks: await serviceSecrets(serve, 'hook_secrets', shell),
    relays: await serviceSecrets(serve, 'relay_secrets', shell),
    links: await serviceSecrets(serve, 'link_secrets', shell),
    stripe: new Map(stripe),
  }
}

async function secretOf(ref: SecretRef, purpose: string, shell: Shell): Promise<string> {
  return await resolveSecret(ref, purpose, { folder: shell.project, env: shell.surroundings.env })
}

export async function openProjectAlerts(
  project: OpenProject,
  log: (line: LogLine) => void,
  shell: Shell,
): Promise<Alerts> {
  const { alerts: named, name } = project.context.catalog.project
  const channels = await alertChannels(named, shell)
  const wait = async (seconds: number): Promise<void> => sleep(seconds * 1_000, undefined, { ref: false })
  return openAlerts({ project: name, channels, fetch: globalThis.fetch, clock: machineClock, wait, log })
}

async function alertChannels(named: AlertsConfig = {}, shell: Shell): Promise<readonly Channel[]> {
  const makers = { slack, pagerduty: pagerDuty, webhook }
  const channels: Channel[] = []
  for (const kind of ['slack', 'pagerduty', 'webhook'] as const) {
    const ref = named[kind]
    if (ref !== undefined) channels.push(makers[kind](await secretOf(ref, `alerts.${kind}`, shell)))
  }
  const { email: mail } = named
  if (mail === undefined) return channels
  const part = async (name: keyof typeof mail): Promise<string> => secretOf(mail[name], `alerts.email.${name}`, shell)
  return [...channels, email({ smtp: await part('smtp'), from: await part('from'), to: await part('to') })]
}

function machineClock(): Instant {
  return instant(Math.floor(Date.now() / 1_000))
}

/**
 * The context of a service that runs until it is stopped. It waits in real time and finishes the
 * signals that it has begun.
 */
export async function serviceContext(
  project: OpenProject,
  secrets: ServerSecrets,
  announcing: { readonly alerts: Alerts; readonly back: () => void } & Pick<Announcing, 'log' | 'kajabiAnswered'>,
  shell: Shell,
): Promise<ReconcileContext> {
  const { catalog } = project.context
  const { serve } = catalog.project
  const { alerts, back, ...rest } = announcing
  const wait = async (seconds: number): Promise<void> => sleep(seconds * 1_000)
  const circuits = withCircuits(project.context.accounts, {
    log: rest.log,
    alert: alerts.alert,
    wait,
    back() {
      // Signals that waited for this account become due now. When the store does not answer, they
      // become due by themselves.
      project.store.inbox
        .hasten(accountAway)
        .catch((error: unknown) => {
          reportBug(alerts, error, 'the return of an account')
          rest.log({ level: 'warn', event: 'not_hastened' })
        })
        .finally(back)
    },
  })
  const around = { ...project, context: { ...project.context, accounts: circuits.accounts } }
  const inbox = await inboxContext(around, { ...rest, alert: alerts.alert }, shell)
  const reached = serve?.public_url !== undefined && secrets.hooks.length > 0
  const mailer = serve?.mailer
  const [key] = secrets.links.map(linkKey)
  const mail =
    mailer === undefined || key === undefined
      ? undefined
      : mailConfirmation({
          url: await secretOf(mailer, 'serve.mailer', shell),
          relaySecret: secrets.relays[0],
          clock: machineClock,
        })
  const { linkDays } = serviceSettings(serve)
  return {
    ...inbox,
    run: `${inbox.run}-${randomUUID().slice(0, 8)}`,
    interrupt: { requested: false },
    wait,
    isAway: circuits.isAway,
    patience: { turns: 2, rounds: 2 },
    catalog,
    // Standard error belongs to the log.
    progress: silent,
    hooks: reached ? { publicUrl: publicUrl(serve), secrets: secrets.hooks } : undefined,
    ...(mail === undefined || key === undefined
      ? {}
      : {
          mailLink: async ({ email, subscriber, offer, id }) => {
            const expires = instant(inbox.clock() + linkDays * secondsPerDay)
            return await mail({
              email,
              offer,
              id,
              link: `${publicUrl(serve)}/cancel/${signLink({ subscriber, offer, expires, id }, key)}`,
            })
          },
        }),
  }
}

/** Members' card pages need a public address: Stripe's page returns to it. */
function cardDoor(context: ReconcileContext): Pick<ServerContext, 'cards'> {
  const { serve } = context.catalog.project
  if (serve?.public_url === undefined) return {}
  const base = publicUrl(serve)
  // One attempt without retries, because a member waits for the page.
  const impatient = { ...context, patience: { turns: 1, rounds: 1 } }
  return {
    cards: {
      state: async (owner) => await cardState(impatient, owner),
      open: async (owner, token) => await openCardPage(impatient, owner, `${base}/card/${token}`),
    },
  }
}

/** The school that the member's pages name. */
function schoolOf(serve: JsonObject = {}): School {
  const { school } = serve
  if (!isJsonObject(school)) return {}
  const { name, contact } = school
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof contact === 'string' ? { contact } : {}),
  }
}

/** The context of the listeners. */
export function serverContext(
  context: ReconcileContext,
  secrets: ServerSecrets,
  serving: () => Serving | undefined,
  inPlace: () => void = () => {},
): ServerContext {
  const status = async () => await serviceStatus(context)
  return {
    access: context.access,
    secrets,
    version: tool,
    metrics: openMetrics({ version: tool, status, milliseconds: () => performance.now() }),
    accounts: [context.accounts.target.name, ...context.accounts.sources.keys()],
    accept: async (signal) => await acceptSignal(context, signal),
    wake: () => serving()?.wake(),
    eventOf: async (account, id) => {
      const { target, sources } = context.accounts
      const from = account === target.name ? target : sources.get(account)
      if (from === undefined)
        return failed({ kind: 'rejected', code: 'unknown_account', message: `no account ${account}`, status: 0 })
      return await from.send({ method: 'GET', path: `/v1/events/${id}` })
    },
    // One attempt without retries, because a member waits for the page.
    describe: async (subscriber) => await describeEnding({ ...context, patience: { turns: 1, rounds: 1 } }, subscriber),
    pressed: async (link) => await pressedLink(context, link),
    ...cardDoor(context),
    school: schoolOf(context.catalog.project.serve),
    async ready() {
      inPlace()
      await context.store.put('ready', context.clock())
      return true
    },
    status,
    alert: (alert) => context.alert(alert),
    log: (line) => context.log(line),
    clock: () => context.clock(),
    machineClock,
    stripeClock: () => context.clock(),
  }
}
