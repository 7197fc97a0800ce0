import type { JsonObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import type { LedgerCharge } from './world-charges.ts'

/** What can be reached of a sandbox: its own `fetch`. */
interface Reachable {
  readonly fetch: typeof globalThis.fetch
}

/**
 * Plays the world forward to an instant (`2027-01-31T12:00:00Z`): renewals, dunning, everything in
 * between.
 */
export async function advanceClock(sandbox: Reachable, to: string): Promise<void> {
  await control(sandbox, 'POST clock', { to })
}

/** The copy of customers and payment methods that Stripe does on request. @returns the CSV */
export async function copyCustomers(sandbox: Reachable, from: string, to: string): Promise<string> {
  return await (await control(sandbox, 'POST copy', { from, to, columns: 6 })).text()
}

/**
 * Lets somebody do something in one account: `{ act: 'cancel', subscription: 'sub_…' }`. @returns
 * what came of it
 */
export async function act(sandbox: Reachable, account: string, what: JsonObject): Promise<JsonObject> {
  return (await (await control(sandbox, 'POST act', { ...what, account })).json()) as JsonObject
}

/** Every attempted charge of every account. */
export async function readCharges(sandbox: Reachable): Promise<readonly LedgerCharge[]> {
  return (await (await control(sandbox, 'GET charges')).json()) as readonly LedgerCharge[]
}

/** How often each fault was injected so far. */
export async function readFaults(sandbox: Reachable): Promise<Readonly<Record<string, number>>> {
  return ((await (await control(sandbox, 'GET faults')).json()) as { by: Record<string, number> }).by
}

/** From now on things go wrong, each kind at its rate per request; the same for the same seed. */
export async function injectFaults(
  sandbox: Reachable,
  plan: { readonly seed: number; readonly rates: Readonly<Record<string, number>> },
): Promise<void> {
  await control(sandbox, 'POST faults', plan)
}

/** Counts per account, and the clock. */
export async function readWorld(sandbox: Reachable): Promise<unknown> {
  return await (await control(sandbox, 'GET world')).json()
}

async function control({ fetch }: Reachable, name: string, body?: object): Promise<Response> {
  const [method = 'GET', path = ''] = name.split(' ')
  const response = await fetch(`http://sandbox.invalid/_sandbox/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  if (response.ok) return response
  const { error } = (await response.json()) as { error?: { message?: string } }
  throw new CommandError(
    'sandbox_refused',
    `the sandbox did not do it: ${error?.message ?? `status ${response.status}`}`,
    {
      notDone: 'its world is as it was',
    },
  )
}
