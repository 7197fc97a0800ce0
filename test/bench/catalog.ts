import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadCatalog, type CatalogFile } from '../../src/catalog/load.ts'
import { milliseconds, processed, type Figure } from './figure.ts'

/** A school of any size: one file per wave, with five hundred subscribers each. */
export function schoolFiles(subscribers: number): CatalogFile[] {
  const fixed = ['project.yaml', 'products.yaml', 'prices.yaml'].map((path) => ({
    path,
    text: readFileSync(fileURLToPath(new URL(`school/${path}`, import.meta.url)), 'utf8'),
  }))
  const waves = Array.from({ length: Math.ceil(subscribers / 500) }, (_, wave) => {
    const people = Array.from({ length: Math.min(500, subscribers - wave * 500) }, (_one, index) =>
      person(wave * 500 + index),
    )
    const path = `subscribers/us/wave-${String(wave + 1).padStart(3, '0')}.yaml`
    return { path, text: `stage: source\nsubscribers:\n${people.join('')}` }
  })
  // As many old prices as subscribers: checkouts that made a price for each sale.
  const prices = Array.from({ length: subscribers }, (_, n) => `  price_Bench${n}: membership-monthly-usd\n`)
  return [...fixed, ...waves, { path: 'mappings/us.yaml', text: `prices:\n${prices.join('')}` }]
}

function person(index: number): string {
  const day = String((index % 28) + 1).padStart(2, '0')
  return `  sub_1Bench${String(index).padStart(8, '0')}:
    customer: cus_Bench${String(index).padStart(8, '0')}
    items: [{ price: membership-monthly-usd, quantity: 1 }]
    next_invoice: 2026-12-${day}T09:15:00Z
    anchor: 2024-01-${day}T09:15:00Z
    payment_method: pm_1Bench${String(index).padStart(8, '0')}
`
}

/**
 * Reading and checking the whole catalog; for ten times the subscribers it may take at most eleven
 * times as long.
 */
export async function catalog(): Promise<Figure[]> {
  const figures: Figure[] = []
  let small = 0
  for (const subscribers of [10_000, 100_000]) {
    const files = schoolFiles(subscribers)
    const { value, took } = await processed(() => loadCatalog(files))
    const errors = value.findings.filter((finding) => finding.severity === 'error').length
    if (errors > 0) throw new Error(`the bench's catalog does not validate: ${value.findings[0]?.message}`)
    const memory = process.memoryUsage().rss / 1_048_576
    const ratio = small === 0 ? '' : `, ${(took / small).toFixed(1)} × the time of a tenth`
    figures.push({
      what: `reading and checking ${subscribers} subscribers (${files.length} files), processor time`,
      reach: small === 0 ? '≤ 20 s, ≤ 1024 MiB' : '≤ 20 s, ≤ 1024 MiB, ≤ 11 × a tenth',
      measured: `${milliseconds(took)}, ${Math.round(memory)} MiB${ratio}`,
      ok: took <= 20_000 && memory <= 1_024 && (small === 0 || took <= small * 11),
    })
    small = took
  }
  return figures
}
