import { describe, expect, test } from 'vitest'
import type { ReconcileContext } from '../../src/engine/inbox/reconcile.ts'
import { fuzzDoors } from './fuzz.ts'
import { fuzzPages, fuzzUpstreams } from './upstreams.ts'

const seed = Number(process.env['CROSSBILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Every request for a cancel is taken for one of the same member. */
function mistaken(context: ReconcileContext): ReconcileContext {
  const { inbox } = context
  return {
    ...context,
    inbox: {
      ...inbox,
      async accept(entry) {
        const subscriber = (await inbox.grants()).at(-1)?.subscribers[0] ?? ''
        return await inbox.accept({ ...entry, signal: { ...entry.signal, subscriber } })
      },
    },
  }
}

describe('no request stops the service, costs more than its size or cancels a member who did not ask', () => {
  test(`at every door (seed ${seed})`, { timeout: 240_000 }, async () => {
    expect(await fuzzDoors({ seed, runs: 180 })).toBeUndefined()
  })

  test(`whatever Stripe and Kajabi answer (seed ${seed})`, { timeout: 240_000 }, async () => {
    expect(await fuzzUpstreams({ seed, runs: 20 })).toBeUndefined()
  })

  test(`and a member’s page opens (seed ${seed})`, { timeout: 240_000 }, async () => {
    expect(await fuzzPages({ seed, runs: 150 })).toBeUndefined()
  })
})

describe('the fuzzer finds', () => {
  test('a service that cancels another member', { timeout: 240_000 }, async () => {
    expect(await fuzzDoors({ seed: 7, runs: 360, broken: mistaken, shrink: false })).toContain('asked for nothing')
  })

  test('a door that answers 500', { timeout: 240_000 }, async () => {
    const broken = (context: ReconcileContext): ReconcileContext => ({
      ...context,
      // A member's page asks the store before it answers.
      inbox: { ...context.inbox, byKey: () => Promise.reject(new TypeError('seeded')) },
    })
    expect(await fuzzDoors({ seed: 7, runs: 360, broken, shrink: false })).toContain('answered 500')
  })

  test('a worker that meets a bug in an answer', { timeout: 240_000 }, async () => {
    const broken = (context: ReconcileContext): ReconcileContext => {
      const target = {
        ...context.accounts.target,
        list: () => {
          throw new TypeError('seeded')
        },
      }
      return { ...context, accounts: { ...context.accounts, target } }
    }
    expect(await fuzzUpstreams({ seed: 7, runs: 10, broken, shrink: false })).toContain('seeded')
  })
})
