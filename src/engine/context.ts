import type { Knowledge } from '../assumptions/standing.ts'
import { present } from '../core/assert.ts'
import type { Catalog } from '../catalog/types.ts'
import type { AccessPort } from './access-port.ts'
import type { Accounts, Interrupt, Progress, SecretSink, Store, StripeAccount } from './ports.ts'

/**
 * Everything that the engine works with; the command line creates it. The engine has no clock,
 * socket or disk of its own: the time is Stripe's (`accounts.target.now()`), waiting is `wait`, and
 * the names of runs are given.
 */
export interface Context {
  readonly accounts: Accounts
  readonly store: Store
  /** Access in Kajabi; absent when the project has no site or gives no offers. */
  readonly access?: AccessPort
  readonly catalog: Catalog
  readonly progress: Progress
  readonly interrupt: Interrupt
  /** What a test account answered to the open questions; absent where nobody looked. */
  readonly confirmed?: Knowledge
  /** Where the signing secrets of new webhook endpoints go. */
  readonly sink: SecretSink
  /** `crossbill 0.1.0`, as written into plans. */
  readonly tool: string
  /**
   * Unique name of this run of the program: the holder of leases and the first part of journal
   * entries.
   */
  readonly run: string
  /** The addresses whose change a request of this run carried out; absent where nobody asks. */
  readonly carriedOut?: Set<string>
  /** Waits this many seconds; a test does not wait. */
  wait(seconds: number): Promise<void>
}

/** What `rehearse`, `doctor` and `verify` report about one account. */
export interface AccountFacts {
  readonly id: string
  readonly livemode: boolean
}

export function accountFacts(accounts: Accounts): Record<string, AccountFacts> {
  const all = [accounts.target, ...accounts.sources.values()]
  return Object.fromEntries(all.map(({ name, id, livemode }) => [name, { id, livemode }]))
}

/** `target`, or a source by its name. */
export function accountNamed({ accounts }: Pick<Context, 'accounts'>, name: string): StripeAccount {
  return name === accounts.target.name ? accounts.target : present(accounts.sources.get(name), `account ${name}`)
}
