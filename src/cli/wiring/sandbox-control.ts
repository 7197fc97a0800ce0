import type { JsonObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import type { LedgerCharge } from './world-charges.ts'

/** A sandbox, reached through its own `fetch`. */
interface Reachable {
  readonly fetch: typeof globalThis.fetch
}

/**
 * Advances the world to an instant (`2027-01-31T12:00:00Z`), with the renewals and dunning until
 * then.
 */
export async function advanceClock(sandbox: Reachable, to: string): Promise<void> {
  await control(sandbox, 'POST clock', { to })
}

/** Copies customers and payment methods, as Stripe does on request. @returns the CSV */
export async function copyCustomers(sandbox: Reachable, from: string, to: string): Promise<string> {
  return await (await control(sandbox, 'POST copy', { from, to, columns: 6 })).text()
}

/**
 * Acts in one account as a member or an operator: `{ act: 'cancel', subscription: 'sub_…' }`.
 * @returns the result
 */
export async function act(sandbox: Reachable, account: string, what: JsonObject): Promise<JsonObject> {
  return (await (await control(sandbox, 'POST act', { ...what, account })).json()) as JsonObject
}

/** Every attempted charge of every account. */
export async function readCharges(sandbox: Reachable): Promise<readonly LedgerCharge[]> {
  return (await (await control(sandbox, 'GET charges')).json()) as readonly LedgerCharge[]
}

/** The number of injected faults so far, by kind. */
export async function readFaults(sandbox: Reachable): Promise<Readonly<Record<string, number>>> {
  return ((await (await control(sandbox, 'GET faults')).json()) as { by: Record<string, number> }).by
}

/** From now on injects faults, each kind at its rate per request; the same seed repeats them. */
export async function injectFaults(
  sandbox: Reachable,
  plan: { readonly seed: number; readonly rates: Readonly<Record<string, number>> },
): Promise<void> {
  await control(sandbox, 'POST faults', plan)
}

/** The counts of each account, and the clock. */
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
    `the sandbox refused the request: ${error?.message ?? `status ${response.status}`}`,
    {
      notDone: 'the simulated world is unchanged',
    },
  )
}
