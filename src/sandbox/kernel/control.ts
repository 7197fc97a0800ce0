// The controls of the world under /_sandbox/: what no client of Stripe can do.
import { Bug } from '../../core/assert.ts'
import { formatInstant, parseInstant } from '../../core/instant.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Account, AccountSettings } from './account.ts'
import { clockIn } from './clocks.ts'
import { Context } from './context.ts'
import { StripeError } from './errors.ts'
import { restrictedKey } from './keys.ts'
import type { ControlAnswer, ControlInput, HttpAnswer, HttpRequest } from './module.ts'
import { readings, switches, switchNames, wrongChoice } from './unsure.ts'
import type { World } from './world.ts'

/** A control request that cannot be done; answered with 400 and this message. */
export class ControlRefusal extends Error {
  override name = 'ControlRefusal'
}

type Control = (world: World, input: ControlInput) => ControlAnswer

const own: Readonly<Record<string, Control>> = {
  'GET world': (world) => {
    const { world: _, ...spaces } = world.counts()
    const next = world.queue.peek()
    return {
      clock: formatInstant(world.now),
      seed: world.seed,
      livemode: world.livemode,
      accounts: Object.fromEntries(
        [...world.accounts.values()].map(({ name, accountId }) => [name, { id: accountId, ...spaces[name] }]),
      ),
      spaces: Object.fromEntries(Object.entries(spaces).filter(([name]) => !world.accounts.has(name))),
      next:
        next === undefined
          ? null
          : { at: formatInstant(next.at), account: next.space, what: next.kind, object: next.key },
      due: world.queue.table.size,
    }
  },
  'POST keys': (world, input) => {
    const permissions = input['permissions']
    if (
      !isJsonObject(permissions) ||
      !Object.values(permissions).every((value) => value === 'read' || value === 'write')
    )
      throw new ControlRefusal('"permissions" must be like {"customers": "read", "subscriptions": "write"}')
    const account = accountIn(world, input)
    return { key: world.transact(() => restrictedKey(world, account, permissions as Record<string, 'read' | 'write'>)) }
  },
  'POST limits': (world, input) => {
    const { global, endpoint } = input
    if (global === undefined && endpoint === undefined) world.limits = undefined
    else if (typeof global === 'number' && typeof endpoint === 'number' && global > 0 && endpoint > 0)
      world.limits = { global, endpoint }
    else
      throw new ControlRefusal(
        '"global" and "endpoint" must be requests a second, or both must be missing for no limits',
      )
    return { limits: world.limits ?? null }
  },
  'POST settings': (world, input) => {
    const account = accountIn(world, input)
    world.configure(account.name, settingsFrom(input))
    return account.settings
  },
  'GET unsure': (world) =>
    Object.fromEntries(
      switchNames.map((name) => {
        const { asks, source, grade } = switches[name]
        return [name, { value: world.unsure[name], readings: readings(name), asks, source, grade }]
      }),
    ),
  'POST unsure': (world, input) => {
    const wrong = wrongChoice(input)
    if (wrong !== undefined) throw new ControlRefusal(wrong)
    world.choose(input)
    return world.unsure
  },
  'POST reset': (world) => {
    world.reset()
    return { clock: formatInstant(world.now) }
  },
  'POST clock': async (world, input) => {
    const to = parseInstant(textOf(input, 'to'))
    if (to === undefined) throw new ControlRefusal('"to" must be an instant such as 2027-01-31T12:00:00Z')
    if (to < world.now) throw new ControlRefusal(`the clock only goes forward; it shows ${formatInstant(world.now)}`)
    await world.advance(to)
    return { clock: formatInstant(world.now) }
  },
  'POST act': (world, input) => {
    const act = textOf(input, 'act')
    const run = world.modules.flatMap((module) => module.acts?.[act] ?? []).at(0)
    if (run === undefined) {
      const known = world.modules.flatMap((module) => Object.keys(module.acts ?? {})).toSorted()
      throw new ControlRefusal(`there is no act "${act}"; the acts are: ${known.join(', ')}`)
    }
    const account = accountIn(world, input)
    return world.transact(() =>
      run(new Context(world, account, { clock: clockIn(world, account, JSON.stringify(input)) }), input),
    )
  },
}

/** The controls of every world; modules add more. */
export const controlNames = Object.keys(own)

export async function answerControl(world: World, request: HttpRequest): Promise<HttpAnswer> {
  const name = `${request.method} ${request.url.pathname.slice('/_sandbox/'.length)}`
  const control = own[name] ?? world.modules.flatMap((module) => module.control?.[name] ?? []).at(0)
  if (control === undefined)
    return answer(404, { error: { message: `there is no control ${name}; docs/sandbox.md lists the controls` } })
  try {
    return answer(200, await control(world, inputOf(request)))
  } catch (error) {
    if (error instanceof ControlRefusal) return answer(400, { error: { message: error.message } })
    if (error instanceof StripeError) return answer(error.status, { error: error.body })
    if (error instanceof Bug) return answer(500, { error: { message: error.message } })
    throw error
  }
}

/** Settings that an owner makes in the Dashboard and no copy transfers. */
function settingsFrom(input: ControlInput): Partial<AccountSettings> {
  const { account: _, finalization_grace_hours: grace, dunning, smallest_charges, dispute_cancels, ...others } = input
  const [stranger] = Object.keys(others)
  if (stranger !== undefined)
    throw new ControlRefusal(
      `there is no setting "${stranger}"; the settings are: finalization_grace_hours, dunning, smallest_charges, dispute_cancels`,
    )
  if (grace !== undefined && !(typeof grace === 'number' && grace >= 1 && grace <= 72))
    throw new ControlRefusal('"finalization_grace_hours" must be 1 to 72')
  if (dunning !== undefined && !isDunning(dunning))
    throw new ControlRefusal('"dunning" must be like {"retry_days": [3, 5, 7], "finally": "cancel"}')
  if (smallest_charges !== undefined && !isJsonObject(smallest_charges))
    throw new ControlRefusal('"smallest_charges" must be like {"usd": 100}')
  return {
    ...(grace === undefined ? {} : { draft_seconds: grace * 3_600 }),
    ...(dunning === undefined ? {} : { dunning }),
    ...(smallest_charges === undefined ? {} : { smallest_charges: smallest_charges as Record<string, number> }),
    ...(typeof dispute_cancels === 'boolean' ? { dispute_cancels } : {}),
  }
}

function isDunning(value: unknown): value is AccountSettings['dunning'] {
  if (!isJsonObject(value)) return false
  const { retry_days: days, finally: last } = value
  const dated = Array.isArray(days) && days.every((day) => typeof day === 'number' && day > 0) && days.length <= 8
  return dated && (last === 'cancel' || last === 'unpaid' || last === 'past_due')
}

function accountIn(world: World, input: ControlInput): Account {
  const account = world.accounts.get(textOf(input, 'account'))
  if (account === undefined) throw new ControlRefusal(`no account "${textOf(input, 'account')}"`)
  return account
}

/** A text parameter that the request must have. */
export function textOf(input: ControlInput, name: string): string {
  const value = input[name]
  if (typeof value !== 'string' || value === '') throw new ControlRefusal(`"${name}" is missing`)
  return value
}

function inputOf(request: HttpRequest): ControlInput {
  if (request.method === 'GET') return Object.fromEntries(request.url.searchParams)
  if (request.body === '') return {}
  try {
    const body: unknown = JSON.parse(request.body)
    if (isJsonObject(body)) return body
  } catch (error) {
    throw new ControlRefusal(`the body is not JSON: ${String(error)}`)
  }
  throw new ControlRefusal('the body must be a JSON object')
}

function answer(status: number, body: object | string): HttpAnswer {
  if (typeof body === 'string') return { status, body, headers: { 'content-type': 'text/csv; charset=utf-8' } }
  return { status, body: `${JSON.stringify(body)}\n`, headers: { 'content-type': 'application/json' } }
}
