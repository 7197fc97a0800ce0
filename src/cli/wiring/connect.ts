import { CommandError } from '../../core/outcome.ts'
import { targetAccount, type AccountConfig, type Project } from '../../catalog/types.ts'
import { present } from '../../core/assert.ts'
import type { Accounts, StripeAccount } from '../../engine/ports.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { ConnectOptions } from '../../stripe/account.ts'
import type { ProjectSandbox } from './project-sandbox.ts'
import type { Shell } from '../shell.ts'

/**
 * Connects every account of the project. The first request to each proves that it is the account
 * that the project names.
 */
export async function connectAccounts(
  project: Project,
  sandbox: ProjectSandbox | undefined,
  shell: Shell,
  service = false,
): Promise<Accounts> {
  // The SDK is loaded here, because loading takes 100 ms, which --help must not wait for.
  const { connectAccount } = await import('../../stripe/account.ts')
  const connected = await Promise.all(
    Object.entries(project.accounts).map(async ([name, account]) => {
      const options = await connection(name, account, sandbox, shell)
      return await connectAccount(service ? forService(options) : options)
    }),
  )
  refuseTwice(connected)
  return {
    target: present(
      connected.find((account) => account.name === targetAccount),
      'target account',
    ),
    sources: new Map(connected.filter(({ name }) => name !== targetAccount).map((account) => [account.name, account])),
  }
}

/**
 * A service must start while Stripe does not answer. It leaves retries to its inbox, where they
 * block no worker.
 */
function forService(options: ConnectOptions): ConnectOptions {
  const { account } = options
  return {
    ...options,
    timeoutSeconds: 20,
    readPauses: [500],
    ...(account === undefined ? {} : { mayBeAway: { account } }),
  }
}

/**
 * Refuses one account under two names. The accounts' own answers decide, because the project may
 * name the same wrong account twice.
 */
function refuseTwice(connected: readonly StripeAccount[]): void {
  const first = new Map<string, string>()
  for (const { id, name } of connected) {
    const other = first.get(id)
    if (other !== undefined)
      throw new CommandError(
        'account_twice',
        `accounts ${other} and ${name} are the same account: both keys belong to ${id}`,
        {
          notDone: 'nothing was read or sent',
          fix: `correct accounts.${other} or accounts.${name} in catalog/project.yaml, or the secret that it names`,
        },
      )
    first.set(id, name)
  }
}

async function connection(
  name: string,
  account: AccountConfig,
  sandbox: ProjectSandbox | undefined,
  shell: Shell,
): Promise<ConnectOptions> {
  if (account.sandbox === true) {
    const { fetch, ready, clock } = present(sandbox, 'sandbox')
    const { key } = present(ready.accounts[name], `sandbox account ${name}`)
    return { name, key, fetch, clock: () => clock() * 1_000 }
  }
  return {
    name,
    key: await resolveSecret(account.key, `the key of account ${name}`, {
      folder: shell.project,
      env: shell.surroundings.env,
    }),
    account: account.account,
    livemode: account.livemode,
    ...(account.api_base === undefined ? {} : { apiBase: account.api_base }),
  }
}
