import type Stripe from 'stripe'
import type { Context } from '../../../src/engine/context.ts'
import type { StripeAccount, StripeRequest } from '../../../src/engine/ports.ts'
import { CommandError, failed, type Failure } from '../../../src/core/outcome.ts'
import { formatInstant } from '../../../src/core/instant.ts'
import { verify } from '../../../src/engine/verify/verify.ts'
import { createSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts'
import { clientOf } from '../../sandbox/client.ts'
import { at } from '../rig.ts'
import { openPulled, type School } from '../school.ts'

/** One old account with a history, pulled and copied as it is at `now`. */
export interface Story extends School {
  readonly us: Stripe
  readonly intl: Stripe
  readonly target: Stripe
  /** The US account of the control run. */
  readonly unmoved: Stripe
  /** An act of a member in a portal or at their bank; in both worlds by default. */
  act(act: string, input: Record<string, unknown>, where?: 'both' | 'here'): Promise<void>
}

interface Past {
  /** The start of the accounts' history. */
  readonly clock: string
  readonly now: string
  readonly policies?: string
  /** The reading of each question that Stripe's documentation leaves open. */
  readonly unsure?: Partial<Sandbox['world']['unsure']>
  /** Settings of the Dashboard of the US account. */
  readonly settings?: Record<string, unknown>
}

/** Plays a past, then pulls. `live` may let time pass. */
export async function story(
  { clock, now, policies, unsure, settings }: Past,
  live: (world: {
    readonly us: Stripe
    readonly intl: Stripe
    readonly until: (when: string) => Promise<void>
  }) => Promise<unknown>,
): Promise<Story> {
  const sandbox = createSandbox({ clock: at(clock) })
  Object.assign(sandbox.world.unsure, unsure)
  const [us, intl, target] = [clientOf(sandbox), clientOf(sandbox, 'intl'), clientOf(sandbox, 'target')]
  if (settings !== undefined) await control(sandbox, 'settings', { account: 'us', ...settings })
  const until = (when: string): Promise<void> => control(sandbox, 'clock', { to: when })
  await live({ us, intl, until })
  await until(now)
  const school = await openPulled(sandbox, policies)
  return {
    ...school,
    us,
    intl,
    target,
    unmoved: clientOf(school.controlRun),
    async act(name, input, where = 'both') {
      await control(sandbox, 'act', { act: name, ...input })
      if (where === 'both') await control(school.controlRun, 'act', { act: name, ...input })
    },
    [Symbol.asyncDispose]: () => school[Symbol.asyncDispose](),
  }
}

async function control(sandbox: Sandbox, path: string, input: Record<string, unknown>): Promise<void> {
  const request = { method: 'POST', body: JSON.stringify(input) }
  const answer = await sandbox.fetch(`https://sandbox/_sandbox/${path}`, request)
  if (!answer.ok) throw new Error(`${path} ${JSON.stringify(input)}: ${await answer.text()}`)
}

/** The prices of the stories, created in an old account. */
export async function prices(client: Stripe): Promise<Record<'monthly' | 'quarterly' | 'yearly' | 'addon', string>> {
  const { id: product } = await client.products.create({ name: 'Membership' })
  const price = async (unit_amount: number, recurring: Stripe.PriceCreateParams.Recurring): Promise<string> =>
    (await client.prices.create({ product, currency: 'usd', unit_amount, recurring, tax_behavior: 'exclusive' })).id
  return {
    monthly: await price(4_900, { interval: 'month' }),
    quarterly: await price(4_900, { interval: 'month', interval_count: 3 }),
    yearly: await price(49_000, { interval: 'year' }),
    addon: await price(900, { interval: 'month' }),
  }
}

let people = 0

/** A separate customer with a working card. */
export async function member(client: Stripe, more: Stripe.CustomerCreateParams = {}): Promise<string> {
  const card = 'pm_card_visa'
  const customer = await client.customers.create({
    email: `member-${++people}@example.com`,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
    ...more,
  })
  return customer.id
}

/** The newest successor of this subscription in the target. */
export async function successorOf({ target }: Story, subscription: string): Promise<Stripe.Subscription> {
  for await (const one of target.subscriptions.list({ status: 'all' }))
    if (one.metadata['crossbill_from']?.endsWith(`/${subscription}`) === true) return one
  throw new Error(`nothing succeeds ${subscription}`)
}

/** `code key` of every violation. */
export async function violationsOf(context: Context): Promise<readonly string[]> {
  return (await verify(context)).violations.map(({ code, subscriber }) => `${code} ${subscriber}`)
}

/** Charges since the pull of one subscriber: `target 2027-01-31T09:15:00Z 4900`. */
export function billsOf(world: Story, subscription: string): readonly string[] {
  return world
    .charges()
    .filter(({ subscriber }) => subscriber.endsWith(`/${subscription}`))
    .map(({ account, at: when, amount }) => `${account} ${formatInstant(when)} ${amount}`)
}

/** Events around the requests to one account. */
export interface Meanwhile {
  readonly account: string
  readonly before?: (request: StripeRequest) => Promise<unknown>
  /** `lost`: the request was executed, but its answer is lost. */
  readonly after?: (request: StripeRequest) => Promise<'lost' | undefined>
  readonly unreachable?: () => boolean
}

/** Happens only the first time. */
export function once(act: () => Promise<void>): () => Promise<void> {
  let done = false
  return async () => {
    if (done) return
    done = true
    await act()
  }
}

const cut: Failure = { kind: 'unknown', code: 'connection_cut', message: 'the connection was cut', status: 0 }

/** The same context in a world with events between two requests. */
export function meanwhile(context: Context, happening: Meanwhile): Context {
  const { target, sources } = context.accounts
  const among = (account: StripeAccount): StripeAccount =>
    account.name === happening.account ? interrupted(account, happening) : account
  const others = new Map([...sources].map(([name, account]) => [name, among(account)]))
  return { ...context, accounts: { target: among(target), sources: others } }
}

function interrupted(account: StripeAccount, { before, after, unreachable }: Meanwhile): StripeAccount {
  const gone = (): boolean => unreachable?.() ?? false
  return {
    ...account,
    async send(request) {
      if (gone()) return failed(cut)
      await before?.(request)
      const outcome = await account.send(request)
      return (await after?.(request)) === 'lost' ? failed(cut) : outcome
    },
    async *list(path, params) {
      if (gone()) throw new CommandError('list_unreadable', `${account.name} cannot be reached`)
      yield* account.list(path, params)
    },
  }
}
