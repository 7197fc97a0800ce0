import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { benches } from './benches.ts'
import { sectionOf, withSection } from './page.ts'

/**
 * `npm run bench [-- NAME… --write]`: the figures, measured on this machine; `--write` puts them
 * into `docs/figures.md`. The tests never run it: a slow disk is not a defect of the product.
 */
const page = fileURLToPath(new URL('../../docs/figures.md', import.meta.url))
const given = process.argv.slice(2)
const wanted = given.filter((one) => one !== '--write')
const writes = given.includes('--write')
const began = performance.now()
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const figures = [await bench()].flat()
  for (const { what, reach, measured, ok } of figures)
    process.stdout.write(`${ok ? 'reached' : 'MISSED '}  ${what}: ${measured}   (${reach})\n`)
  if (writes)
    writeFileSync(page, withSection(readFileSync(page, 'utf8'), Object.keys(benches), sectionOf(name, figures)))
}
process.stdout.write(`measured in ${((performance.now() - began) / 60_000).toFixed(1)} minutes\n`)
