import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { openStore } from '../../src/store/open.ts'
import { root } from '../house/sources.ts'

/** A new folder with a copy of test/golden/projects/<name>. */
export function copyProject(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `crossbill-${name}-`))
  cpSync(join(root, 'test/golden/projects', name), folder, { recursive: true })
  return folder
}

/** Changes the simulated world of a project between two commands, with the official SDK. */
export async function inWorld<T>(
  folder: string,
  accounts: readonly string[],
  act: (stripe: (account: string) => Stripe) => Promise<T>,
): Promise<T> {
  const store = await openStore({ file: join(folder, 'state/crossbill.db') })
  try {
    const sandbox = createSandbox({ accounts, storage: store.world })
    const httpClient = Stripe.createFetchHttpClient(sandbox.fetch)
    const stripe = (account: string): Stripe =>
      new Stripe(`sk_test_sandbox_${account}`, { httpClient, maxNetworkRetries: 0 })
    const result = await act(stripe)
    sandbox.close()
    return result
  } finally {
    await store.close()
  }
}
