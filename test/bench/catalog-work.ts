import type { Catalog } from '../../src/catalog/types.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { Limiter } from '../../src/sandbox/kernel/limits.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { openStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { catalogOf } from '../kinds/target.ts'
import { VirtualTime } from '../stripe/virtual-time.ts'
import { committing } from './committing.ts'
import { milliseconds, type Figure } from './figure.ts'

const callMilliseconds = 100
const rates = { account: 100, operation: 25 }

/** 300 products, 900 prices, 20 tax rates, 40 coupons, 60 promotion codes, 5 endpoints. */
function largeCatalog(amount: (index: number) => number): Catalog {
  const of = <T>(count: number, make: (index: number) => T): Record<string, T> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, make(index)]))
  return catalogOf(
    JSON.stringify({
      products: of(300, (n) => ({ name: `Course ${n}` })),
      prices: of(900, (n) => ({
        product: `k${n % 300}`,
        currency: 'usd',
        unit_amount: amount(n),
        lookup_key: `p${n}`,
      })),
      tax_rates: of(20, (n) => ({ display_name: `Tax ${n}`, percentage: n + 1, inclusive: false })),
      coupons: of(40, (n) => ({ percent_off: n + 1 })),
      promotion_codes: of(60, (n) => ({ code: `CODE${n}`, promotion: { coupon: `k${n % 40}` } })),
      webhook_endpoints: of(5, (n) => ({
        url: `https://x.test/${n}`,
        enabled_events: ['invoice.paid'],
        secret_to: { file: `s${n}` },
      })),
    }),
  )
}

/**
 * A large catalog: created, planned without a change, and planned with one changed price. The clock
 * is virtual.
 */
export async function catalogWork(): Promise<Figure[]> {
  const sandbox = createSandbox()
  const time = new VirtualTime()
  const limiter = new Limiter(
    () => ({ global: rates.account, endpoint: rates.operation }),
    () => time.milliseconds(),
  )
  const counted = { requests: 0, refused: 0 }
  const slow: typeof fetch = async (input, init) => {
    counted.requests++
    const url = new URL(input instanceof Request ? input.url : input)
    try {
      limiter.check('target', { method: init?.method ?? 'GET', url })
    } catch {
      counted.refused++
    }
    const answer = await time.busy(sandbox.fetch(input, init))
    await time.sleep(callMilliseconds)
    return answer
  }
  const connecting = connectAccount({
    name: 'target',
    key: 'sk_test_sandbox_target',
    fetch: slow,
    rates,
    timing: time,
    clock: () => sandbox.clock() * 1_000,
  })
  const target = await time.run(connecting)
  const own = await openStore({ file: ':memory:' })
  const store = committing(own, time, () => true)
  const context = (catalog: Catalog): Context => ({
    accounts: { target, sources: new Map() },
    store,
    catalog,
    progress: { start() {}, step() {}, note() {}, done() {} },
    interrupt: { requested: false },
    sink: { write: async () => {} },
    tool: 'crossbill bench',
    run: `bench-${counted.requests}`,
    wait: (seconds) => time.sleep(seconds * 1_000),
  })
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = counted.requests
    await time.run(work())
    return counted.requests - before
  }
  const catalog = largeCatalog((n) => 1_000 + n)
  const plan = await time.run(makePlan(context(catalog)))
  const began = time.milliseconds()
  const value = await time.run(apply(context(catalog), plan))
  const took = time.milliseconds() - began
  const bound = (900 * 1_000) / rates.operation
  const idle = await count(() => makePlan(context(catalog)))
  const dearer = context(largeCatalog((n) => (n === 0 ? 9_999 : 1_000 + n)))
  const changed = await count(async () => apply(dearer, await makePlan(dearer)))
  await own.close()
  sandbox.close()
  return [
    {
      what: `making ${plan.changes.length} objects, ${callMilliseconds} ms a request, ${rates.operation}/s of one operation, ${counted.refused} refused`,
      reach: `≤ 1.25 × the bound of the slowest operation (${milliseconds(bound)}), none refused`,
      measured: `${milliseconds(took)} (${(took / bound).toFixed(2)} ×)`,
      ok: value.ok && took <= bound * 1.25 && counted.refused === 0,
    },
    { what: 'planning them with nothing to do', reach: '≤ 30 requests', measured: `${idle} requests`, ok: idle <= 30 },
    {
      what: 'one price changed, planned and applied',
      reach: '≤ 70 requests',
      measured: `${changed} requests`,
      ok: changed <= 70,
    },
  ]
}
