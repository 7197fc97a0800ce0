import { describe, expect, test } from 'vitest'
import { budget, deeper, explore, product, together, type Product } from './explore.ts'

test('no interleaving of requests, kills, lost answers, outages, renewals and people leads to two payers, to no payer without an alarm, or to a lost change', () => {
  const found = explore(product, process.env['CROSSBILL_EXPLORE'] === 'deep' ? deeper : budget)
  console.info(`explored ${found.states} distinct states to depth ${found.depth}`)
  expect(found).toMatchObject({ violation: null, trace: [] })
  expect(found.states).toBeGreaterThan(50_000)
}, 600_000)

/**
 * Two runs with separate stores: what may go wrong besides their interleaving. All at once takes
 * minutes.
 */
const rivals: Readonly<Record<string, Partial<typeof together>>> =
  process.env['CROSSBILL_EXPLORE'] === 'deep'
    ? { everything: { kills: 1, losses: 1, begins: 2 } }
    : { interleaving: { begins: 3 }, 'a kill': { kills: 1, begins: 2 }, 'a late commit': { losses: 1, begins: 2 } }

describe('promise 11: two runs with separate stores, each stopped at any step for any time, never cause two payers', () => {
  for (const [name, more] of Object.entries(rivals))
    test.each(['the same', 'different'])(
      `${name}, with %s parameters`,
      (which) => {
        const keys = { ...product.keys, alike: which === 'the same' }
        const found = explore({ ...product, keys }, { ...together, ...more })
        console.info(`two runs, ${name}, ${which} parameters: ${found.states} states to depth ${found.depth}`)
        expect(found).toMatchObject({ violation: null, trace: [] })
        expect(found.states).toBeGreaterThan(25_000)
      },
      600_000,
    )
})

/** Each protection of promise 11, removed. */
const unprotected: Readonly<Record<string, readonly [Partial<Product>, Partial<typeof together>]>> = {
  'creates under a key of its own run': [
    { keys: { ...product.keys, create: ({ generation }, sender) => `create ${generation} ${sender}` } },
    { begins: 2 },
  ],
  'holds and releases under keys of its own run': [
    {
      keys: {
        ...product.keys,
        hold: ({ generation }, sender) => `hold ${generation} ${sender}`,
        release: ({ generation, skips }, sender) => `hold ${(generation ?? 0) + 1 + skips} ${sender}`,
      },
    },
    { begins: 3 },
  ],
  'settles and reverts without the register': [
    { keys: { ...product.keys, end: ({ generation }, sender) => `end ${generation} ${sender}` } },
    { begins: 3 },
  ],
  'releases without shutting the creation': [
    {
      next: (state, event) => {
        const after = product.next(state, event)
        return after.phase === 'closing' ? { ...after, phase: 'restoring_old', goal: 'undo' } : after
      },
    },
    { begins: 2 },
  ],
}

describe('promise 11: a removed protection is found, with the shortest story', () => {
  test.each(Object.keys(unprotected))(
    '%s',
    (name) => {
      const [change, more] = unprotected[name] ?? [{}, {}]
      const found = explore({ ...product, ...change }, { ...together, ...more })
      console.info(`${found.violation ?? 'nothing'}:\n  ${found.trace.join('\n  ')}`)
      expect(found.violation).not.toBeNull()
    },
    600_000,
  )
})

const mutated = (next: (made: Product['next']) => Product['next'], more: Partial<Product> = {}): Product => ({
  ...product,
  ...more,
  next: next(product.next),
})
const same = (next: Product['next']): Product['next'] => next

/**
 * Each is a mistake that real migrations made, or that this program made during its development.
 */
const mistakes: Readonly<Record<string, Product>> = {
  'creates before holding': mutated((next) => (state, event) => {
    const after = next(state, event)
    return state.phase === 'previewing' && after.phase === 'holding' ? { ...after, phase: 'creating' } : after
  }),
  'releases when the target cannot be read': mutated(
    (next) => (state, event) =>
      next(state, event.type === 'both_read' && event.new === 'unreadable' ? { ...event, new: 'none' } : event),
  ),
  'looks up successors without cancelled ones': mutated(same, {
    observeNew: (world) => (product.observeNew(world) === 'live' ? 'live' : 'none'),
  }),
  'creates again when an answer was lost': mutated(
    (next) => (state, event) =>
      state.phase === 'creating' && event.type === 'sent' && event.result === 'unknown'
        ? { ...state, generation: (state.generation ?? 0) + 1 }
        : next(state, event),
  ),
  'takes a hold without answer for done': mutated(
    (next) => (state, event) =>
      state.phase === 'holding' && event.type === 'sent' && event.result === 'unknown'
        ? { ...state, phase: 'creating' }
        : next(state, event),
  ),
  'gives the old one back before the new one is cancelled': mutated((next) => (state, event) => {
    const after = next(state, event)
    return after.phase === 'cancelling_new' ? { ...after, phase: 'restoring_old' } : after
  }),
  'forgets to keep the hold for good': mutated((next) => (state, event) => {
    const after = next(state, event)
    return after.phase === 'keeping' ? { ...after, phase: 'moved' } : after
  }),
  'begins anew although a successor lives': mutated(
    (next) => (state, event) => next(state, event.type === 'begin' ? { ...event, successor: null } : event),
  ),
  'bills a gap that a cancelled successor was paid for': mutated(same, {
    isPaidInTarget: ({ successors }) =>
      successors.some(({ status, invoice }) => status === 'live' && invoice === 'paid'),
  }),
  'never looks whether neither account charged a period': mutated((next) => (state, event) => {
    const after = next(state, event)
    return after.phase === 'checking_gap' ? { ...after, phase: 'source' } : after
  }),
  'takes the mark of the hold away and leaves none until the period is billed': mutated(same, {
    leavesDue: false,
  }),
  'sets back without looking whether the new one was changed': mutated(
    (next) => (state, event) => next(state, event.type === 'invoice_read' ? { ...event, changed: false } : event),
  ),
  'settles without looking whether the held one was changed': mutated(
    (next) => (state, event) => next(state, event.type === 'both_read' ? { ...event, drifted: false } : event),
  ),
  'releases after the successor was cancelled by its subscriber': mutated(
    (next) => (state, event) =>
      next(state, event.type === 'both_read' && event.new === 'ended' ? { ...event, new: 'undone' } : event),
  ),
}

describe('a deliberate mistake is found, with its shortest story', () => {
  test.each(Object.keys(mistakes))('%s', (name) => {
    // Breadth first: there is no shorter story.
    const found = explore(mistakes[name] as Product, budget)
    console.info(`${found.violation ?? 'nothing'}, after ${found.trace.length} steps:\n  ${found.trace.join('\n  ')}`)
    expect(found.violation).not.toBeNull()
    expect(found.trace.length).toBeGreaterThan(3)
    expect(found.trace.length).toBeLessThan(20)
  })
})
