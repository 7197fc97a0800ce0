import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalKeys, type Signal } from '../../src/cancel/signal.ts'
import { instant } from '../../src/core/instant.ts'
import { openStore } from '../../src/store/open.ts'
import { milliseconds, percentile, type Figure } from './figure.ts'

const perSecond = 300
const seconds = 10

/**
 * Signals stored durably at a steady rate; beside it the time that the disk needs for one synced
 * write.
 */
export async function accept(): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  const store = await openStore({ file: join(folder, 'crossbill.db') })
  await store.moveLogBeside()
  const took: number[] = []
  const pending: Promise<void>[] = []
  const begin = performance.now()
  for (let index = 0; index < perSecond * seconds; index++) {
    const due = begin + (index * 1_000) / perSecond
    if (due > performance.now()) await sleep(due - performance.now())
    const arrived = performance.now()
    const at = instant(1_800_000_000 + index)
    const signal: Signal = {
      source: 'relay',
      event: 'cancel',
      offer: 'membership',
      receivedAt: at,
      message: `m${index}`,
    }
    const stored = store.inbox.accept({ keys: signalKeys(signal), signal, at })
    pending.push(stored.then(() => void took.push(performance.now() - arrived)))
  }
  await Promise.all(pending)
  await store.close()
  const bare = bareDisk(join(folder, 'bare'))
  rmSync(folder, { recursive: true })
  const p99 = percentile(took, 0.99)
  return {
    what: `accepting a cancel, durable, ${perSecond}/s, p99 (bare disk p99 ${milliseconds(bare)})`,
    reach: '≤ 5 ms',
    measured: milliseconds(p99),
    ok: p99 <= 5,
  }
}

function bareDisk(path: string): number {
  const file = openSync(path, 'w')
  const took = Array.from({ length: 500 }, () => {
    const begin = performance.now()
    writeSync(file, 'x'.repeat(1_500))
    fdatasyncSync(file)
    return performance.now() - begin
  })
  closeSync(file)
  return percentile(took, 0.99)
}
