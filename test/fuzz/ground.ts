import { randomBytes } from 'node:crypto'
import type { ReconcileContext } from '../../src/engine/inbox/reconcile.ts'
import { projectFrom } from '../../src/catalog/project.ts'
import { serverContext } from '../../src/cli/wiring/service.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import type { ServerSecrets } from '../../src/server/context.ts'
import { startService, type Service } from '../../src/server/service.ts'
import { openRig, siteOf, type Member, type Rig } from '../inbox/rig.ts'
import type { KajabiSite } from '../../src/engine/kajabi-port.ts'

const stages = ['source', 'held', 'settled'] as const

export const secrets: ServerSecrets = {
  hooks: [randomBytes(24).toString('base64url')],
  relays: [`whsec_${randomBytes(32).toString('base64')}`],
  links: [randomBytes(32).toString('base64')],
  stripe: new Map([
    ['target', [`whsec_${randomBytes(24).toString('hex')}`]],
    ['us', [`whsec_${randomBytes(24).toString('hex')}`]],
  ]),
}

/** A school whose service listens, and what each member has asked for. */
export interface Ground {
  readonly rig: Rig
  readonly context: ReconcileContext
  readonly service: Service
  readonly members: readonly Member[]
  /** Members who asked to leave, as an oracle of the test reads the requests. */
  readonly asked: Set<Member>
  /** Works on the inbox until nothing is due, for at most `rounds` passes. */
  work(rounds?: number): Promise<void>
  /** What must never happen, as a sentence; undefined when all is right. */
  wrong(): Promise<string | undefined>
  close(): Promise<void>
}

export interface GroundOptions {
  readonly between?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch
  /** A fault built into the service, to prove that the fuzzer finds it. */
  readonly broken?: (context: ReconcileContext) => ReconcileContext
}

export async function openGround(count: number, { between, broken }: GroundOptions = {}): Promise<Ground> {
  const rig = await openRig(between === undefined ? {} : { between })
  const members: Member[] = []
  for (let n = 0; n < count; n++) members.push(await rig.member(`member-${'abcdefghijkl'[n]}`, stages[n % 3] ?? 'held'))
  const project = projectFrom({ project: 'school', serve: { public_url: 'https://leave.school.example' } })
  const whole = { ...rig.context, catalog: { ...rig.context.catalog, project } }
  const context = broken === undefined ? whole : broken(whole)
  const service = await startService(
    serverContext(context, secrets, () => undefined),
    {
      host: '127.0.0.1',
      port: 0,
      adminHost: '127.0.0.1',
      adminPort: 0,
      requestsPerMinute: 1_000_000,
      trustProxy: 1,
      patience: { headers: 400, request: 600, silence: 1_000, check: 100 },
    },
  )
  const asked = new Set<Member>()
  const before = new Map<Member, string>()
  // Reads past the faults that stand between the service and its upstreams.
  const site = siteOf(rig.sandbox)
  for (const member of members) before.set(member, await paysAs(rig, site, member))
  return {
    rig,
    context,
    service,
    members,
    asked,
    async work(rounds = 4) {
      for (let round = 0; round < rounds; round++) {
        const { handled } = await workInbox(context, 1_000)
        if (handled === 0 && (await rig.store.inbox.counts()).oldestPending === undefined) return
        rig.pass(3_600)
      }
    },
    async wrong() {
      for (const member of members) {
        if (asked.has(member)) continue
        const now = await paysAs(rig, site, member)
        if (now !== before.get(member))
          return `${member.subscriber} asked for nothing: ${before.get(member)} became ${now}`
      }
      const bugs = rig.lines.filter(({ event }) => event === 'bug')
      if (bugs.length > 0) return `the worker met a bug: ${JSON.stringify(bugs[0])}`
      const said = JSON.stringify([rig.lines.splice(0), rig.alerts.splice(0)])
      const secret = [...secrets.hooks, ...secrets.relays, ...secrets.links, '@school.example'].find((one) =>
        said.includes(one),
      )
      return secret === undefined ? undefined : `a log line or an alert contains ${secret.slice(-15)}`
    },
    async close() {
      await service.close()
      await rig.close()
    },
  }
}

/** What the member pays and holds, as the accounts and Kajabi show it. */
async function paysAs(rig: Rig, site: KajabiSite, { old, successor, contact }: Member): Promise<string> {
  const state = async (account: string, id: string): Promise<string> => {
    const { status, cancel_at: at, cancel_at_period_end: atEnd } = await rig.stripe(account).subscriptions.retrieve(id)
    return `${account} ${status} ${at} ${atEnd}`
  }
  const states = [await state('us', old), ...(successor === undefined ? [] : [await state('target', successor)])]
  const offers = await site.offersOf(contact)
  return `${states.join(', ')}, offers ${offers.ok ? offers.value.length : offers.failure.code}`
}
