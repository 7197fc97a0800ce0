import { instant } from '../../../src/core/instant.ts'
import type { RehearsalReport } from '../../../src/engine/rehearse/report.ts'

export const began = instant(1_796_083_200)

export const rehearsal: RehearsalReport = {
  seed: 7,
  months: 14,
  subscribers: 60,
  people: { declared: 60, played: 60, moved: 0, settled: 0, ended: 0 },
  ok: true,
  began,
  ended: instant(began + 426 * 86_400),
  counts: {
    expected: 731,
    actual: 731,
    double: 0,
    missed: 0,
    amount_differs: 0,
    date_differs: 0,
    two_payers: 0,
    not_moved: 0,
  },
  currencies: [
    { currency: 'usd', expected: { charges: 600, amount: 2_940_000 }, actual: { charges: 600, amount: 2_940_000 } },
    { currency: 'jpy', expected: { charges: 131, amount: 655_000 }, actual: { charges: 131, amount: 655_000 } },
  ],
  days: Array.from({ length: 60 }, (_, index) => {
    const day = new Date((began + index * 86_400) * 1_000).toISOString().slice(0, 10)
    return { day, expected: (index * 7) % 11, actual: (index * 7) % 11 }
  }),
  waves: [
    { name: 'us/wave-01', people: 20, movedAt: instant(began + 86_400), settledAt: instant(began + 60 * 86_400) },
    { name: 'intl/wave-01', people: 12, movedAt: instant(began + 7 * 86_400) },
  ],
  differences: [],
  standing: [
    {
      subscriber: 'us/sub_1',
      moved: false,
      outcome: 'blocked',
      code: 'payment_method_not_copyable',
      message: 'Link is not copied by Stripe',
      fix: 'ask for a card <before> the wave',
    },
  ],
  declines: { expected: 12, actual: 12 },
  dunning: { expected: 3, actual: 3 },
  members: [],
  faults: [],
}
