/** One attempted charge as the sandbox's ledger tells it (`GET /_sandbox/charges`). */
export interface LedgerCharge {
  readonly account: string
  readonly customer: string
  readonly subscription: string | null
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

/** A charge that happened, under the name its payer had before the migration. */
export interface PayerCharge {
  /** `us/sub_…`; `us/cus_…` for a charge that belongs to no subscription. */
  readonly payer: string
  readonly at: string
  readonly amount: number
  readonly currency: string
}

export interface ChargeDifference {
  readonly kind: 'double' | 'missed' | 'amount_differs' | 'date_differs'
  readonly payer: string
  readonly expected?: PayerCharge
  readonly made?: PayerCharge
}

export interface ChargeComparison {
  readonly charges: { readonly expected: number; readonly made: number }
  readonly double: number
  readonly missed: number
  readonly amount_differs: number
  readonly date_differs: number
  readonly differences: readonly ChargeDifference[]
}

/**
 * Compares what was charged with what would have been charged had nobody migrated: same payer, same second, same amount, and no other.
 * An expected charge without counterpart is `missed`; a made one without counterpart is `double`, for nobody owed it. Between those two the same
 * second with another amount is `amount_differs`, the same amount on another day `date_differs`.
 */
export function compareCharges(expected: readonly PayerCharge[], made: readonly PayerCharge[]): ChargeComparison {
  const [before, after] = [byPayer(expected), byPayer(made)]
  const payers = [...new Set([...before.keys(), ...after.keys()])].sort()
  const differences = payers.flatMap((payer) => differencesOf(payer, before.get(payer) ?? [], after.get(payer) ?? []))
  const count = (kind: ChargeDifference['kind']): number => differences.filter((one) => one.kind === kind).length
  return {
    charges: { expected: expected.length, made: made.length },
    double: count('double'),
    missed: count('missed'),
    amount_differs: count('amount_differs'),
    date_differs: count('date_differs'),
    differences,
  }
}

function byPayer(charges: readonly PayerCharge[]): ReadonlyMap<string, readonly PayerCharge[]> {
  return Map.groupBy(charges, (charge) => charge.payer)
}

/** From the strictest likeness to the loosest; each pass pairs what the one before left over. */
const passes: readonly {
  readonly key: (charge: PayerCharge) => string
  readonly kind: ChargeDifference['kind'] | undefined
}[] = [
  { key: ({ at, amount, currency }) => `${at} ${amount} ${currency}`, kind: undefined },
  { key: ({ at }) => at, kind: 'amount_differs' },
  { key: ({ amount, currency }) => `${amount} ${currency}`, kind: 'date_differs' },
]

function differencesOf(
  payer: string,
  expected: readonly PayerCharge[],
  made: readonly PayerCharge[],
): ChargeDifference[] {
  const differences: ChargeDifference[] = []
  let [owed, paid] = [expected, made]
  for (const { key, kind } of passes) {
    const pairing = pair(owed, paid, key)
    if (kind !== undefined)
      for (const [one, other] of pairing.pairs) differences.push({ kind, payer, expected: one, made: other })
    ;[owed, paid] = [pairing.left, pairing.right]
  }
  return [
    ...differences,
    ...owed.map((one): ChargeDifference => ({ kind: 'missed', payer, expected: one })),
    ...paid.map((one): ChargeDifference => ({ kind: 'double', payer, made: one })),
  ]
}

interface Pairing {
  readonly pairs: readonly (readonly [PayerCharge, PayerCharge])[]
  readonly left: readonly PayerCharge[]
  readonly right: readonly PayerCharge[]
}

function pair(
  left: readonly PayerCharge[],
  right: readonly PayerCharge[],
  key: (charge: PayerCharge) => string,
): Pairing {
  const waiting = new Map([...Map.groupBy(right, key)].map(([name, charges]) => [name, [...charges]]))
  const pairs: [PayerCharge, PayerCharge][] = []
  const lonely: PayerCharge[] = []
  for (const one of left) {
    const other = waiting.get(key(one))?.shift()
    if (other === undefined) lonely.push(one)
    else pairs.push([one, other])
  }
  return { pairs, left: lonely, right: [...waiting.values()].flat() }
}
