import { accept } from './accept.ts'
import { cancel } from './cancel.ts'
import { catalog } from './catalog.ts'
import { catalogWork } from './catalog-work.ts'
import type { Figure } from './figure.ts'
import { move } from './move.ts'
import { people } from './people.ts'
import { refresh } from './refresh.ts'
import { rehearsal } from './rehearsal.ts'
import { start } from './start.ts'

/**
 * `npm run bench [NAME…]`: the figures, measured on this machine. The tests never run it: a slow
 * disk is not a defect of the product.
 */
const benches: Readonly<Record<string, () => Promise<Figure | Figure[]> | Figure | Figure[]>> = {
  start,
  accept,
  cancel,
  refresh,
  catalog,
  catalogWork,
  move,
  people,
  rehearsal,
}

const wanted = process.argv.slice(2)
const began = performance.now()
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  for (const { what, reach, measured, ok } of [await bench()].flat())
    process.stdout.write(`${ok ? 'reached' : 'MISSED '}  ${what}: ${measured}${reach === '' ? '' : `   (${reach})`}\n`)
}
process.stdout.write(`measured in ${((performance.now() - began) / 60_000).toFixed(1)} minutes\n`)
