import type { StripeObject } from '../../core/json.ts'
import { CommandError, failed, success, type Outcome } from '../../core/outcome.ts'
import type { Params, StripeAccount } from '../ports.ts'

/**
 * A whole list as an outcome. Only the list's own errors become failures; any other error is a bug
 * or a lost lease and is thrown. `code` names the failure when the list gives no better code.
 */
export async function listed(
  account: StripeAccount,
  path: string,
  params: Params,
  code = 'list_unreadable',
): Promise<Outcome<readonly StripeObject[]>> {
  const found: StripeObject[] = []
  try {
    for await (const one of account.list(path, params)) found.push(one)
    return success(found)
  } catch (error) {
    if (!(error instanceof CommandError) || !listCodes.has(error.code)) throw error
    const { cause } = error
    const { status = 0, retryAfter } = (cause ?? {}) as { status?: number; retryAfter?: number }
    const after = retryAfter === undefined ? {} : { retryAfter }
    return failed({ kind: 'retryable', code: codeOf(cause, code), message: error.message, status, ...after })
  }
}

const listCodes = new Set(['list_unreadable', 'list_incomplete'])

/**
 * An outage of the whole account keeps its own code, because it is not a failed try of one signal.
 */
function codeOf(cause: unknown, code: string): string {
  const told = (cause as { code?: unknown } | undefined)?.code
  return told === accountAway ? accountAway : code
}

/** The code of a request that was not sent because its account has stopped answering. */
export const accountAway = 'account_away'
