import { readFileSync } from 'node:fs'
import { request, Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { signWebhook, webhookKey } from '../../src/cancel/standard-webhooks.ts'
import { present } from '../../src/core/assert.ts'
import { instant } from '../../src/core/instant.ts'
import { openTown, relaySecret } from '../serve/town.ts'
import { milliseconds, percentile, type Figure } from './figure.ts'

const perSecond = 300
/** Ten minutes, unless `CROSSBILL_BENCH_SECONDS` says otherwise. */
const seconds = Number(process.env['CROSSBILL_BENCH_SECONDS'] ?? 600)
/** Slices of the time: latency and memory must not grow from the first to the last. */
const slices = 6

/**
 * Signed signals of a relay over HTTP at a steady rate, durable before each answer, while Stripe is
 * down: everything waits. The service is a process of its own, so its memory is only its own.
 */
export async function steady(): Promise<Figure[]> {
  const town = await openTown()
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  try {
    town.down.stripe = true
    const service = await town.serve()
    const key = present(webhookKey(relaySecret), 'key of the relay')
    const took: number[][] = Array.from({ length: slices }, () => [])
    const memory: number[] = Array.from({ length: slices }, () => 0)
    let refused = 0
    let [waiting, atTwentyThousand] = [0, 0]
    const pending: Promise<void>[] = []
    const began = performance.now()
    const total = perSecond * seconds
    for (let index = 0; index < total; index++) {
      const due = began + (index * 1_000) / perSecond
      if (due > performance.now()) await sleep(due - performance.now())
      const slice = Math.floor((index * slices) / total)
      if (index % perSecond === 0) {
        memory[slice] = residentOf(service.child.pid)
        if (waiting <= 20_000) atTwentyThousand = Math.max(atTwentyThousand, memory[slice])
      }
      const arrived = performance.now()
      const one = post(town.ports[0] ?? 0, agent, index, key).then((status) => {
        if (status === 202) waiting++
        else refused++
        took[slice]?.push(performance.now() - arrived)
      })
      pending.push(one)
      if (pending.length > 10_000) await Promise.all(pending.splice(0, 5_000))
    }
    await Promise.all(pending)
    const each = took.map((one) => percentile(one, 0.99))
    const p99 = percentile(took.flat(), 0.99)
    const [first = 0, last = 0] = [each[0], each.at(-1)]
    const plot = (values: readonly string[]): string => values.join(', ')
    return [
      {
        what: `answering a signed signal over HTTP, durable, ${perSecond}/s for ${seconds} s, Stripe down, p99; each sixth: ${plot(each.map(milliseconds))}`,
        reach: '≤ 5 ms, none refused',
        measured: `${milliseconds(p99)}, ${refused} refused`,
        ok: p99 <= 5 && refused === 0,
      },
      {
        what: 'p99 of the last sixth, as a multiple of the first',
        reach: '≤ 1.5 ×',
        measured: `${(last / first).toFixed(2)} ×`,
        ok: last <= 1.5 * first,
      },
      {
        what: `memory of the service alone while ${waiting} wait in the end; each sixth: ${plot(memory.map(megabytes))}`,
        reach: '≤ 300 MB with 20,000 waiting',
        measured: `${megabytes(atTwentyThousand)} with 20,000 waiting`,
        ok: atTwentyThousand <= 300e6,
      },
    ]
  } finally {
    agent.destroy()
    await town.close()
  }
}

function post(port: number, agent: Agent, index: number, key: Buffer): Promise<number | undefined> {
  const body = JSON.stringify({ offer: 'membership', contact: String(1_000_000 + index) })
  const [id, at] = [`m${index}`, instant(Math.floor(Date.now() / 1_000))]
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': signWebhook(id, at, body, key),
  }
  return new Promise((done) => {
    const path = '/cancel'
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => done(answer.statusCode))
    })
    sent.once('error', () => done(undefined))
    sent.end(body)
  })
}

/** Resident memory of a process in bytes. */
function residentOf(pid: number | undefined): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1] ?? 0) * 1_024
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
