import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { milliseconds, type Figure } from './figure.ts'

const script = fileURLToPath(new URL('rehearsed.ts', import.meta.url))
const large = 10_000
const small = 1_000
const minutes = 10
const growth = 1.25

interface Rehearsed {
  readonly ok: boolean
  readonly charges: number
  readonly took: number
  readonly processor: number
  readonly megabytes: number
}

/**
 * A large school within minutes. Twice the months mean twice the charges, but not twice the memory.
 */
export function rehearsal(): Figure[] {
  const [once, twice, many] = [rehearsed(small, 14), rehearsed(small, 28), rehearsed(large, 14)]
  const ratio = twice.megabytes / once.megabytes
  return [
    {
      what: `rehearsal of ${large} subscribers, 14 months, both worlds, ${many.charges} charges each`,
      reach: `≤ ${minutes} min`,
      measured: `${milliseconds(many.took)}, processor ${milliseconds(many.processor)}, ${many.megabytes} MB`,
      ok: many.ok && many.took <= minutes * 60_000,
    },
    {
      what: `memory of 28 months (${twice.charges} charges) beside 14 (${once.charges}), ${small} subscribers`,
      reach: `≤ ${growth} ×`,
      measured: `${twice.megabytes} MB beside ${once.megabytes} MB, ${ratio.toFixed(2)} ×`,
      ok: once.ok && twice.ok && ratio <= growth,
    },
  ]
}

function rehearsed(subscribers: number, months: number): Rehearsed {
  const args = [script, String(subscribers), String(months)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Rehearsed
}
