import { describe, expect, test } from 'vitest'
import { failed, success, type Failure } from '../../src/core/outcome.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { fallsAway } from '../../src/engine/handover/carried-money.ts'

type Given = Parameters<typeof fallsAway>

const refusal: Failure = { kind: 'rejected', code: 'invoice_not_editable', message: 'no', status: 400 }
const outage: Failure = { kind: 'rejected', code: 'permission_error', message: 'no', status: 403 }
const missing: Failure = { kind: 'rejected', code: 'resource_missing', message: 'no', status: 404 }

/** The piece after Stripe refused to take it out, with this answer to its reading. */
const after = async (id: string, found: JsonObject | Failure): Promise<unknown> => {
  const answer = 'kind' in found ? failed(found as Failure) : success(found)
  const path = id.includes('invoice') ? '/v1/invoices/in_1/void' : '/v1/invoiceitems/ii_1'
  const context = { interrupt: { requested: false }, wait: async () => {}, patience: { turns: 1, rounds: 1 } }
  const account = { name: 'us', send: async () => answer }
  const refused = { step: { id, path }, account, failure: refusal, live: {}, generation: 1 }
  const job = { handover: { expect: { money: [`${id}`, `${id.replace('-out', '')}-in`], old: 'sub_1' } } }
  return fallsAway(context as unknown as Given[0], job as unknown as Given[1], refused as unknown as Given[2])
}

describe('a refused request about a carried piece', () => {
  test('what cannot be read is neither gone nor there: the run asks again', async () => {
    expect(await after('money-item-0-out', outage)).toBe('unread')
    expect(await after('money-invoice-0-out', outage)).toBe('unread')
  })
  test('what is read decides', async () => {
    expect(await after('money-item-0-out', { invoice: 'in_9' })).toBe(1)
    expect(await after('money-item-0-out', { invoice: null })).toBeUndefined()
    expect(await after('money-item-0-out', missing)).toBeUndefined()
    expect(await after('money-invoice-0-out', { status: 'paid' })).toBe(1)
    expect(await after('money-invoice-0-out', missing)).toBeUndefined()
  })
})
