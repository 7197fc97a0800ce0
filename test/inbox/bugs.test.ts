import { describe, expect, test } from 'vitest'
import { Bug } from '../../src/core/assert.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { openRig } from './rig.ts'

/**
 * Makes one call to the accounts or to Kajabi throw a bug of this program, and counts the calls.
 */
function buggyAt(
  context: InboxContext,
  nth: number,
): { readonly context: InboxContext; readonly calls: () => string[] } {
  const calls: string[] = []
  const met = (what: string): void => {
    if (calls.push(what) === nth) throw new Bug(`seeded in ${what}`)
  }
  const account = (one: StripeAccount): StripeAccount => ({
    ...one,
    send: async (request) => {
      met(`${one.name} ${request.method} ${request.path}`)
      return one.send(request)
    },
    async *list(path, params) {
      met(`${one.name} list ${path}`)
      yield* one.list(path, params)
    },
  })
  const { accounts, kajabi } = context
  const site = Object.fromEntries(
    Object.entries(kajabi ?? {}).map(([name, call]) => [
      name,
      typeof call !== 'function'
        ? call
        : async (...given: unknown[]) => {
            met(`kajabi ${name}`)
            return (call as (...all: unknown[]) => unknown)(...given)
          },
    ]),
  )
  const sources = new Map([...accounts.sources].map(([name, one]) => [name, account(one)]))
  return {
    calls: () => calls,
    context: {
      ...context,
      accounts: { target: account(accounts.target), sources },
      kajabi: site as unknown as NonNullable<InboxContext['kajabi']>,
    },
  }
}

/** A cancel by tag of a moved member, with a bug in the n-th outside call. */
async function cancelWithBug(nth: number): Promise<{ readonly calls: string[]; readonly state: string }> {
  const rig = await openRig()
  try {
    const ada = await rig.member('ada', 'held')
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const { id } = await acceptSignal(rig.context, {
      source: 'hook',
      event: 'tag_added',
      contact: ada.contact,
      tag: rig.tag,
      offer: 'membership',
      receivedAt: rig.now(),
      message: 'once',
    })
    const { context, calls } = buggyAt(rig.context, nth)
    await workInbox(context, 100)
    const now = (await rig.store.inbox.get(id))?.row.now
    const reason = now !== undefined && 'reason' in now ? `: ${now.reason}` : ''
    return { calls: calls(), state: `${now?.state}${reason}` }
  } finally {
    await rig.close()
  }
}

describe('a bug of this program is never treated as a state of an account', () => {
  test('a bug in any call to Stripe or Kajabi ends a cancel as a dead letter that names it, never as a retry', async () => {
    const clean = await cancelWithBug(Infinity)
    expect(clean.state).toBe('done')
    expect(clean.calls.length).toBeGreaterThan(8)
    const ends = new Map<string, string>()
    for (const [at, call] of clean.calls.entries()) ends.set(`${at} ${call}`, (await cancelWithBug(at + 1)).state)
    const wrong = [...ends].filter(([, state]) => !state.startsWith('dead: bug: seeded in '))
    expect(wrong).toEqual([])
  }, 120_000)
})
