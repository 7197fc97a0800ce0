import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { backlogged } from '../inbox/backlogged.ts'
import { milliseconds, percentile, type Figure } from './figure.ts'

/** Twenty thousand signals wait after an outage, and a hundred members ask anew. */
export async function backlog(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  const call = 100
  let most = 0
  const looking = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 200)
  const { took, drained, seconds } = await backlogged({
    waiting: 20_000,
    fresh: 100,
    store: { file: join(folder, 'crossbill.db') },
    call: () => sleep(call),
    pause: 100,
  })
  clearInterval(looking)
  rmSync(folder, { recursive: true })
  const p99 = percentile(took, 0.99)
  const megabytes = Math.round(most / 1e6)
  return [
    {
      what: `a fresh cancel behind 20,000 waiting, Stripe at ${call} ms, p99 of 100`,
      reach: '≤ 2 s',
      measured: milliseconds(p99),
      ok: p99 <= 2_000,
    },
    {
      what: 'signals of the backlog that ended meanwhile, a second',
      reach: '',
      measured: String(Math.round(drained / seconds)),
      ok: drained > 0,
    },
    {
      what: 'memory of service, simulated Stripe and Kajabi',
      reach: '≤ 300 MB',
      measured: `${megabytes} MB`,
      ok: megabytes <= 300,
    },
  ]
}
