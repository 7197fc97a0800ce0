// Saved answers per idempotency key, for 24 hours of the simulated clock.
// https://docs.stripe.com/api/idempotent_requests
import { secondsPerDay } from '../../core/instant.ts'
import type { Context } from './context.ts'
import { StripeError } from './errors.ts'
import type { Row, TableDefinition } from './tables.ts'

export interface SavedAnswer extends Row {
  readonly fingerprint: string
  readonly status: number
  readonly body: string
  readonly request: string
}

const answers: TableDefinition<SavedAnswer> = { name: 'idempotency' }

/**
 * The saved answer for this key, or undefined when the request must be executed. Throws when the
 * key was used for another request.
 */
export function replay(context: Context, key: string, fingerprint: string): SavedAnswer | undefined {
  const table = context.table(answers)
  const saved = table.get(key)
  if (saved === undefined) return undefined
  if (saved.created + secondsPerDay <= context.world.now) {
    table.delete(key)
    return undefined
  }
  if (saved.fingerprint === fingerprint) return saved
  throw new StripeError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  })
}

export function saveAnswer(context: Context, key: string, answer: Omit<SavedAnswer, 'id' | 'created'>): void {
  context.table(answers).put({ id: key, created: context.world.now, ...answer })
}

/** Deletes the keys that are older than a day. */
export function pruneAnswers(context: Context): void {
  const table = context.table(answers)
  const old = [...table.all()].filter((row) => row.created + secondsPerDay <= context.now)
  for (const row of old) table.delete(row.id)
}
