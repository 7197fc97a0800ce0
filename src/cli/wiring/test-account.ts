import { Created } from '../../confirm/created.ts'
import { CommandError } from '../../core/outcome.ts'
import { connectAccount } from '../../stripe/account.ts'
import { stripeClient } from '../../stripe/client.ts'
import type Stripe from 'stripe'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

/** The variable that holds the key of a test account. */
const testKeyVariable = 'CROSSBILL_STRIPE_TEST_KEY'

export interface TestAccount {
  readonly id: string
  readonly apiVersion: string
  readonly stripe: Stripe
  readonly created: Created
}

/** Reads the key, refuses every key but a test key, and proves that the account answers. */
export async function connectTestAccount(shell: Shell, url: string | undefined): Promise<TestAccount> {
  const key = testKey(shell.surroundings.env[testKeyVariable] ?? '')
  const base = url === undefined ? undefined : onThisMachine(url)
  const { id, apiVersion } = await proven(key, base)
  const created = new Created()
  const stripe = stripeClient({
    key,
    fetch: created.watch(globalThis.fetch),
    heard() {},
    retries: 5,
    ...(base === undefined ? {} : { base }),
  })
  return { id, apiVersion, stripe, created }
}

function testKey(key: string): string {
  if (/^[rs]k_test_\w+$/.test(key)) return key
  const what = key === '' ? 'is not set' : /^[rs]k_live_/.test(key) ? 'holds a live key' : 'holds no key of Stripe'
  throw new CommandError('no_test_key', `${testKeyVariable} ${what}, and confirm needs the key of a test account`, {
    notDone: 'no request was sent to Stripe',
    fix: `create a test key (docs/commands.md names its permissions) and run ${testKeyVariable}=rk_test_… crossbill confirm`,
  })
}

function onThisMachine(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined
  const { protocol, hostname } = base ?? {}
  if (base !== undefined && protocol === 'http:' && (hostname === '127.0.0.1' || hostname === 'localhost')) return base
  throw new UsageError(
    'not-on-this-machine',
    '--url must be http://127.0.0.1:PORT: keys go to Stripe and nowhere else',
    'Without --url, confirm asks Stripe itself.',
  )
}

async function proven(key: string, base: URL | undefined): Promise<{ id: string; apiVersion: string }> {
  try {
    const account = await connectAccount({
      name: 'test',
      key,
      livemode: false,
      readPauses: [],
      timeoutSeconds: 20,
      ...(base === undefined ? {} : { apiBase: base.origin }),
    })
    return { id: account.id, apiVersion: account.apiVersion }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(error.code, error.message.replace(/^account test: /, 'the test account: '), {
      notDone: 'nothing was created in the account',
      fix:
        error.code === 'account_unreachable'
          ? `run the command again when ${base === undefined ? 'Stripe' : base.origin} can be reached`
          : `check ${testKeyVariable}, and whether a restricted key may read the account`,
    })
  }
}
