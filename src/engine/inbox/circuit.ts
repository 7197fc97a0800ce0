import { CommandError, failed, type Failure, type Outcome } from '../../core/outcome.ts'
import type { Accounts, StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { accountAway } from '../send/listed.ts'

export interface Circuits {
  readonly accounts: Accounts
  readonly isAway: (account: string) => boolean
  /** Stops the probes. */
  stop(): void
}

export interface CircuitOptions extends Pick<InboxContext, 'log' | 'alert' | 'wait'> {
  /** Called when an account answers again. */
  readonly back: () => void
}

/**
 * Consecutive requests without an answer, or with a 5xx, after which an account counts as
 * unavailable.
 */
const failuresAllowed = 5
const probeSeconds = 1
/** Probes that may hang at once: Stripe may accept a connection and not answer. */
const probesAtOnce = 5
/** Seconds that an outage lasts before an alert is sent. */
const tellSeconds = 30

/**
 * Gives each account a circuit breaker. While Stripe does not answer, requests must not block
 * workers: everything except one small probe a second is refused here, and is certain not to have
 * been sent. The first answer closes the circuit, even a refusal.
 */
export function withCircuits({ target, sources }: Accounts, options: CircuitOptions): Circuits {
  const all = [target, ...sources.values()].map((account) => new Circuit(account, options))
  const byName = new Map(all.map((circuit) => [circuit.account.name, circuit]))
  const wrapped = (account: StripeAccount): StripeAccount => byName.get(account.name)?.guarded() ?? account
  return {
    accounts: { target: wrapped(target), sources: new Map([...sources].map(([name, one]) => [name, wrapped(one)])) },
    isAway: (name) => byName.get(name)?.away === true,
    stop: () => all.forEach((circuit) => circuit.stop()),
  }
}

class Circuit {
  away = false
  private failures = 0
  private stopped = false
  readonly account: StripeAccount
  private readonly options: CircuitOptions
  constructor(account: StripeAccount, options: CircuitOptions) {
    this.account = account
    this.options = options
  }

  stop(): void {
    this.stopped = true
  }

  guarded(): StripeAccount {
    const { account } = this
    return {
      ...account,
      send: async (request) => {
        if (this.away) return failed(this.refusal())
        const outcome = await account.send(request)
        this.heard(outcome)
        return outcome
      },
      present: async () => (this.away ? account.now() : account.present()),
      list: (path, params) => this.guardedList(account.list(path, params)),
      retrieve: async (path, params) => this.guardedRead(() => account.retrieve(path, params)),
    }
  }

  private async *guardedList<T>(list: AsyncIterable<T>): AsyncIterable<T> {
    if (this.away) throw this.unreadable()
    try {
      yield* list
      this.failures = 0
    } catch (error) {
      this.heardError(error)
      throw error
    }
  }

  private async guardedRead<T>(read: () => Promise<T>): Promise<T> {
    if (this.away) throw this.unreadable()
    try {
      return await read()
    } catch (error) {
      this.heardError(error)
      throw error
    }
  }

  private heard(outcome: Outcome<unknown>): void {
    if (outcome.ok || !isSilence(outcome.failure)) this.failures = 0
    else this.failed(1)
  }

  /** A list has already repeated its request before it failed. */
  private heardError(error: unknown): void {
    const cause = error instanceof CommandError ? (error.cause as Failure | undefined) : undefined
    if (cause !== undefined && typeof cause.status === 'number' && isSilence(cause)) this.failed(2)
  }

  private failed(count: number): void {
    this.failures += count
    if (this.failures < failuresAllowed || this.away || this.stopped) return
    this.away = true
    this.options.log({ level: 'warn', event: 'account_away', account: this.account.name })
    void this.probe()
  }

  /** Probes every second until the account answers. */
  private async probe(): Promise<void> {
    const { account, options } = this
    let open = 0
    for (let seconds = 0; this.away && !this.stopped; seconds += probeSeconds) {
      if (seconds === tellSeconds)
        options.alert({
          ...this.alert,
          summary: `Stripe does not answer for account ${account.name}: cancels are accepted and wait until it does`,
        })
      if (open < probesAtOnce) {
        open++
        void account
          .send({ method: 'GET', path: '/v1/account' })
          .then((outcome) => {
            if (outcome.ok || !isSilence(outcome.failure)) this.answered()
          })
          .finally(() => open--)
      }
      await options.wait(probeSeconds)
    }
  }

  private answered(): void {
    if (!this.away) return
    this.away = false
    this.failures = 0
    const { account, options } = this
    options.log({ level: 'info', event: 'account_back', account: account.name })
    options.alert({ ...this.alert, summary: `Stripe answers again for account ${account.name}`, resolved: true })
    options.back()
  }

  private get alert() {
    const { name } = this.account
    return { key: `account_away ${name}`, severity: 'critical', fix: 'see https://status.stripe.com' } as const
  }

  private refusal(): Failure {
    const message = `account ${this.account.name} does not answer; this request was not sent`
    return { kind: 'retryable', code: accountAway, message, status: 0 }
  }

  private unreadable(): CommandError {
    return new CommandError('list_unreadable', `account ${this.account.name} does not answer`, {
      notDone: 'nothing was decided from an incomplete list',
      fix: 'run the command again when Stripe answers',
      cause: this.refusal(),
    })
  }
}

/** No answer, or a server error. A rate limit, a lock and a refusal are answers. */
function isSilence({ kind, status, code }: Failure): boolean {
  if (code === accountAway) return false
  return (kind === 'retryable' || kind === 'unknown') && (status === 0 || status >= 500)
}
