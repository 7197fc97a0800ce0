import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant } from '../../src/core/instant.ts'
import { archiveFinished } from '../../src/engine/inbox/archive.ts'
import { serviceStatus } from '../../src/engine/inbox/status.ts'
import { openMetrics } from '../../src/server/metrics.ts'
import { statusPage } from '../../src/server/status-page.ts'
import { openRig, type Rig } from '../inbox/rig.ts'
import { milliseconds, percentile, timed, type Figure } from './figure.ts'

const rows = 100_000
const day = 86_400

/** The pages for people on call with 100,000 signals in the inbox, and the removal of old ones. */
export async function status(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  const rig = await openRig({ store: { file: join(folder, 'crossbill.db') }, policy: { keepDays: 180 } })
  await filled(rig)
  const metrics = openMetrics({
    version: 'bench',
    status: async () => serviceStatus(rig.context),
    milliseconds: () => performance.now(),
  })
  const about = { latency: metrics.latency(), school: 'School', version: 'bench', watches: false, at: rig.now() }
  const page = async (): Promise<void> => void statusPage(await serviceStatus(rig.context), rig.now(), about)
  const figures = [
    await often('the status page', page),
    await often('the metrics', async () => void (await metrics.text())),
    await often('readiness', async () => rig.store.put('ready', rig.now())),
  ]
  const arrivals: number[] = []
  let archiving = true
  const arriving = (async () => {
    for (let n = 0; archiving; n++) arrivals.push((await timed(async () => accepted(rig, `late${n}`, rig.now()))).took)
  })()
  const context = {
    ...rig.context,
    wait: async (seconds: number) => new Promise<void>((go) => setTimeout(go, seconds * 1_000)),
  }
  const { value: removed, took } = await timed(async () => archiveFinished(context))
  archiving = false
  await arriving
  await rig.close()
  rmSync(folder, { recursive: true })
  const slowest = percentile(arrivals, 0.99)
  return [
    ...figures,
    {
      what: `removing ${removed} old signals; a signal stored meanwhile, p99`,
      reach: '≤ 100 ms',
      measured: `${milliseconds(took)}; ${milliseconds(slowest)}`,
      ok: slowest <= 100 && removed >= rows * 0.4,
    },
  ]
}

async function often(what: string, work: () => Promise<void>): Promise<Figure> {
  const took: number[] = []
  for (let n = 0; n < 50; n++) took.push((await timed(work)).took)
  const p99 = percentile(took, 0.99)
  const all = `${what} with ${rows} signals, p99 of 50`
  return { what: all, reach: '≤ 100 ms', measured: milliseconds(p99), ok: p99 <= 100 }
}

function accepted(rig: Rig, key: string, at: number): Promise<unknown> {
  const signal = {
    source: 'relay',
    event: 'cancel',
    offer: 'membership',
    receivedAt: instant(at),
    message: key,
  } as const
  return rig.store.inbox.accept({ keys: [key], signal: { ...signal, contact: key }, at: instant(at) })
}

/** Half of the signals ended a year ago, the others end today or wait. */
async function filled(rig: Rig): Promise<void> {
  const { inbox } = rig.store
  const now = rig.now()
  for (let n = 0; n < rows; n += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, m) => accepted(rig, `k${n + m}`, now - 400 * day)))
    const until = instant(now + 60)
    const mine = await inbox.claim('filler', now, until, { limit: 500, cancels: true, lane: 'old' })
    const at = instant(n < rows / 2 ? now - 400 * day : now - day)
    await Promise.all(
      mine.map(async ({ id }, m) =>
        inbox.save(id, 'filler', {
          now:
            m % 10 === 0
              ? { state: 'retry', at: instant(now + day), attempts: 1, reason: 'timeout' }
              : { state: 'done' },
          facts: {},
          note: { at, state: 'done', text: 'cancelled' },
          release: true,
        }),
      ),
    )
  }
}
