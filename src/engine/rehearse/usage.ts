import { digest } from '../../core/canonical.ts'
import type { Instant } from '../../core/instant.ts'
import { objectIn, objectsIn, type JsonObject, type StripeObject } from '../../core/json.ts'
import { endOfHold, givesAccess, hasRunningPeriod, successorMark } from '../../live/subscription.ts'
import type { StripeAccount, StripeRequest } from '../ports.ts'
import { listAll } from '../read/lists.ts'
import { chance } from './chance.ts'
import type { RehearsalWorld } from './world.ts'

/** Units in one week, at most. */
const unitsMax = 40

/**
 * The school's software, which records what members use. In the control run it sends everything to
 * the old account; in the other run, to the target from the end of the period in which a member
 * changes accounts.
 */
export class Usage {
  private readonly stay: RehearsalWorld
  private readonly move: RehearsalWorld
  private readonly seed: number
  private members: readonly Metered[] | undefined

  constructor(worlds: { readonly stay: RehearsalWorld; readonly move: RehearsalWorld }, seed: number) {
    this.stay = worlds.stay
    this.move = worlds.move
    this.seed = seed
  }

  async record(week: number, now: Instant): Promise<void> {
    this.members ??= await meteredIn(this.stay)
    for (const member of this.members) {
      const value = Math.floor(chance(this.seed, `${member.key} uses ${week}`) * unitsMax)
      const expected = await read(sourceOf(this.stay, member), member)
      if (value === 0 || expected === undefined || !hasRunningPeriod(expected)) continue
      await send(sourceOf(this.stay, member), expected, { value, now })
      const old = await read(sourceOf(this.move, member), member)
      const ends = old === undefined ? undefined : endOfHold(old)
      const isOld = old !== undefined && (ends === undefined || now < ends)
      const successor = isOld ? undefined : await this.successorOf(member, old)
      if (successor !== undefined) await send(this.move.accounts.target, successor, { value, now })
      else if (old !== undefined) await send(sourceOf(this.move, member), old, { value, now })
    }
  }

  private async successorOf({ key }: Metered, old: StripeObject | undefined): Promise<StripeObject | undefined> {
    const customer = old?.['customer']
    if (typeof customer !== 'string') return undefined
    const theirs = await listAll(this.move.accounts.target, '/v1/subscriptions', { customer, status: 'all' })
    return theirs.find((one) => successorMark(one) === key && givesAccess(one))
  }
}

interface Metered {
  readonly key: string
  readonly source: string
  readonly subscription: string
}

async function meteredIn(world: RehearsalWorld): Promise<readonly Metered[]> {
  const declared = new Map(world.context.catalog.subscribers.map((one) => [one.key as string, one]))
  const found: Metered[] = []
  for (const [source, account] of world.accounts.sources)
    for (const one of await listAll(account, '/v1/subscriptions', { status: 'all' })) {
      const key = `${source}/${one.id ?? ''}`
      if (declared.has(key) && metersOf(one).length > 0) found.push({ key, source, subscription: one.id ?? '' })
    }
  return found
}

function sourceOf(world: RehearsalWorld, { source }: Metered): StripeAccount {
  return world.accounts.sources.get(source) ?? world.accounts.target
}

function metersOf(subscription: StripeObject): readonly string[] {
  return objectsIn(objectIn(subscription['items'])['data']).flatMap((item) => {
    const { meter } = objectIn(objectIn(item['price'])['recurring'])
    return typeof meter === 'string' ? [meter] : []
  })
}

async function read(account: StripeAccount, { subscription }: Metered): Promise<StripeObject | undefined> {
  return await patiently(account, { method: 'GET', path: `/v1/subscriptions/${subscription}` })
}

/** A program that tries again, as Stripe's own libraries do. */
const triesMax = 6

async function patiently(account: StripeAccount, request: StripeRequest): Promise<StripeObject | undefined> {
  for (let tries = 0; tries < triesMax; tries++) {
    const answer = await account.send(request)
    if (answer.ok) return answer.value
  }
  return undefined
}

async function send(
  account: StripeAccount,
  subscription: StripeObject,
  { value, now }: { readonly value: number; readonly now: Instant },
): Promise<void> {
  for (const meter of metersOf(subscription)) {
    const found = await patiently(account, { method: 'GET', path: `/v1/billing/meters/${meter}` })
    const name = found?.['event_name']
    if (found === undefined || typeof name !== 'string') continue
    const { event_payload_key: of } = objectIn(found['customer_mapping'])
    const { event_payload_key: at } = objectIn(found['value_settings'])
    const payload: JsonObject = {
      [typeof of === 'string' ? of : 'stripe_customer_id']: subscription['customer'] ?? '',
      [typeof at === 'string' ? at : 'value']: String(value),
    }
    const key = digest([subscription.id ?? '', meter, now])
    const params = { event_name: name, payload }
    await patiently(account, { method: 'POST', path: '/v1/billing/meter_events', params, idempotencyKey: key })
  }
}
