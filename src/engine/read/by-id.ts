import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import type { StripeAccount } from '../ports.ts'

/**
 * One object, with the retries of a list, so that one bad answer does not stop a whole command.
 * Undefined only when the account never had it.
 */
export async function byId(
  account: StripeAccount,
  path: string,
  expand: readonly string[] = [],
): Promise<StripeObject | undefined> {
  try {
    return await account.retrieve(path, expand.length === 0 ? {} : { expand })
  } catch (error) {
    const cause = error instanceof CommandError ? error.cause : undefined
    if (isJsonObject(cause) && cause['code'] === 'resource_missing') return undefined
    throw error
  }
}
