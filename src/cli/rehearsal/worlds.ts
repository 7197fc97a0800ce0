import type Stripe from 'stripe'
import { hasErrors } from '../../core/diagnostic.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import type { Json } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Context } from '../../engine/context.ts'
import type { Accounts, Store, StripeAccount } from '../../engine/ports.ts'
import type { RehearsalWorld, RehearsalWorlds } from '../../engine/rehearse/world.ts'
import { readCopyMapCsv } from '../../files/copy-map.ts'
import { withoutOwnEnd } from '../../live/own-end.ts'
import { markCarried, markFrom, markHold, markHolds } from '../../live/marks.ts'
import { readHold } from '../../live/source.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { fillFromAccounts, type LiveAccount as RebuiltAccount } from '../../sandbox/live/accounts.ts'
import type { Unsure } from '../../sandbox/kernel/unsure.ts'
import { createSandbox, type Sandbox } from '../../sandbox/sandbox.ts'
import { invoices, subscriptions } from '../../sandbox/stripe/billing/rows.ts'
import { openStore } from '../../store/open.ts'
import { connectAccount } from '../../stripe/account.ts'
import type { Timing } from '../../stripe/limits.ts'
import { silent } from '../progress.ts'
import { readOnce } from './reads.ts'
import { watchPayers } from './watch.ts'
import { act, advanceClock, copyCustomers, injectFaults, readCharges, readFaults } from '../wiring/sandbox-control.ts'
import type { LedgerCharge } from '../wiring/world-charges.ts'

/**
 * The rate of each fault per request, when faults are on: together about one request in twenty.
 */
const faultRates: Readonly<Record<string, number>> = {
  rate_limited: 0.01,
  lock_timeout: 0.005,
  error_before: 0.005,
  error_stored: 0.005,
  error_after: 0.005,
  unavailable: 0.005,
  cut_before: 0.005,
  cut_after: 0.01,
}

/**
 * The API does not show how an account retries failed payments. The handbook requires the same
 * settings in all accounts before the first move, so the rehearsal uses the same settings.
 */
const dunning = { retry_days: [3, 5, 7], finally: 'cancel' } as const

/**
 * Worlds for a rehearsal, built in the sandbox from the data of the real sources. Each world has
 * its own store in memory.
 */
export function rehearsalWorlds(context: Context, unsure: Partial<Unsure> = {}): RehearsalWorlds {
  return {
    async build(live, { seed, faults }) {
      const names = ['target', ...live.sources.keys()]
      const sandbox = createSandbox({
        clock: live.target.now,
        seed,
        accounts: names,
        keepEvents: false,
        dunning,
        unsure,
      })
      fillFromAccounts(sandbox.world, rebuilt(live))
      let store = await openStore({ file: ':memory:' })
      const accounts = await connect(sandbox, names)
      const watch = watchPayers(sandbox.world)
      const seen = (account: StripeAccount): StripeAccount => readOnce(watch.watched(account), sandbox.world)
      const watchedAccounts = {
        target: seen(accounts.target),
        sources: new Map([...accounts.sources].map(([name, account]) => [name, seen(account)])),
      }
      if (faults) await injectFaults(sandbox, { seed, rates: faultRates })
      return {
        get context() {
          return simulated(context, watchedAccounts, store)
        },
        accounts,
        get inbox() {
          return store.inbox
        },
        advance: async (to) => advanceClock(sandbox, formatInstant(to)),
        copy: async (source) => readCopy(source, await copyCustomers(sandbox, source, 'target')),
        act: async (account, what) => act(sandbox, account, what),
        async loseStore() {
          await store.close()
          store = await openStore({ file: ':memory:' })
        },
        charges: async () => charges(sandbox),
        twoPayers: watch.seen,
        faults: async () => readFaults(sandbox),
        async close() {
          sandbox.close()
          await store.close()
        },
      }
    },
  }
}

/**
 * The project's context for a simulated world. A plan there must not reach the real Kajabi site or
 * the place where signing secrets are written. The rehearsal simulates the declared service itself.
 */
function simulated({ access: _site, ...context }: Context, accounts: Accounts, store: Store): Context {
  const { serve: _service, ...project } = context.catalog.project
  return {
    ...context,
    catalog: { ...context.catalog, project },
    accounts,
    store,
    sink: { write: async () => {} },
    progress: silent,
    wait: async () => {},
  }
}

function rebuilt(live: Live): Record<string, RebuiltAccount> {
  return Object.fromEntries([...live.sources].map(([name, account]) => [name, rebuiltAccount(account)]))
}

/** Products, coupons and tax rates are contained in the subscriptions that use them. */
function rebuiltAccount({ subscriptions, customers, invoices, pendingItems, prices }: LiveAccount): RebuiltAccount {
  const unfinished = [...invoices.values()].flat()
  const known = new Set(unfinished.map((invoice) => invoice.id))
  const newest = subscriptions
    .map((subscription) => subscription.latest_invoice)
    .filter((invoice) => typeof invoice === 'object' && invoice !== null && !known.has(invoice.id))
  return {
    prices: plain([...(prices ?? new Map()).values()]),
    customers: plain([...customers.values()]),
    subscriptions: plain(subscriptions.map(asBefore)),
    invoices: plain([...unfinished, ...newest]),
    invoice_items: plain([...pendingItems.values()].flat()),
  }
}

/**
 * A held subscription as it was before the hand-over, because the rehearsal starts with the
 * hand-over.
 */
function asBefore(subscription: Stripe.Subscription): object {
  const hold = readHold(subscription)
  if (hold === null) return subscription
  const { [markHold]: _mark, [markHolds]: _count, ...metadata } = subscription.metadata
  return { ...withoutOwnEnd(subscription), pause_collection: hold.before, metadata }
}

/** The SDK's objects as the plain JSON that they are. */
function plain(objects: readonly unknown[]): readonly Json[] {
  return objects as readonly Json[]
}

/** A simulated world does not change between requests, so waiting is useless. */
const atOnce: Timing = { milliseconds: () => performance.now(), sleep: async () => {} }

async function connect({ ready, fetch, clock: now }: Sandbox, names: readonly string[]): Promise<Accounts> {
  const clock = (): number => now() * 1_000
  const connected = await Promise.all(
    names.map(async (name) => {
      const key = ready.accounts[name]?.key ?? ''
      return connectAccount({ name, key, fetch, timing: atOnce, clock })
    }),
  )
  const [target, ...sources] = connected
  if (target === undefined) throw new CommandError('rehearsal_without_target', 'the project has no target account')
  return { target, sources: new Map(sources.map((account) => [account.name, account])) }
}

function readCopy(source: string, csv: string): Awaited<ReturnType<RehearsalWorld['copy']>> {
  const { rows, findings } = readCopyMapCsv(source, `copy of ${source}`, csv)
  if (hasErrors(findings))
    throw new CommandError('rehearsal_copy', findings.map((finding) => finding.message).join('; '))
  return rows
}

async function charges(sandbox: Sandbox): ReturnType<RehearsalWorld['charges']> {
  return (await readCharges(sandbox)).map(
    ({ account, customer, subscription, invoice, amount, currency, ...charge }) => ({
      account,
      subscriber: subscriberOf(sandbox, { account, customer, subscription, invoice }),
      at: instant(Math.floor(Date.parse(charge.at) / 1_000)),
      amount,
      currency,
      succeeded: charge.status === 'succeeded' && amount > 0,
      ...(subscription === null && carriedFor(sandbox, { account, invoice }) !== undefined
        ? { carried: true as const }
        : {}),
    }),
  )
}

/**
 * The subscriber of a charge, by the marks of its subscription, or of its invoice when that invoice
 * charges a period that no account had charged.
 */
function subscriberOf(
  { world }: Pick<Sandbox, 'world'>,
  about: Pick<LedgerCharge, 'account' | 'customer' | 'subscription' | 'invoice'>,
): string {
  const { account, customer, subscription, invoice } = about
  const rows = world.account(account)
  if (subscription !== null)
    return rows.table(subscriptions).get(subscription)?.metadata[markFrom] ?? `${account}/${subscription}`
  return carriedFor({ world }, { account, invoice }) ?? `${account}/${customer}`
}

/** The subscriber whose open invoice this one continues. */
function carriedFor(
  { world }: Pick<Sandbox, 'world'>,
  { account, invoice }: Pick<LedgerCharge, 'account' | 'invoice'>,
): string | undefined {
  const marks = invoice === null ? undefined : world.account(account).table(invoices).get(invoice)?.metadata
  return marks?.[markCarried]?.split(' ')[0]
}
