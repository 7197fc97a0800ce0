import type { CatalogFile, LoadedCatalog } from '../../src/catalog/load.ts'
import { loadCatalog } from '../../src/catalog/load.ts'

/** The smallest project that loads. */
export const projectYaml = `project: school
accounts:
  target: { sandbox: true }
  us: { sandbox: true }
  intl: { sandbox: true }
`

export const productsYaml = `products:
  membership: { name: Membership }
`

export const pricesYaml = `prices:
  membership-monthly-usd:
    product: membership
    currency: usd
    unit_amount: 4900
    recurring: { interval: month }
`

export function files(texts: Readonly<Record<string, string>>): readonly CatalogFile[] {
  const all = { 'project.yaml': projectYaml, 'products.yaml': productsYaml, 'prices.yaml': pricesYaml, ...texts }
  return Object.entries(all).map(([path, text]) => ({ path, text }))
}

export function load(texts: Readonly<Record<string, string>> = {}): LoadedCatalog {
  return loadCatalog(files(texts))
}

/** `prices.yaml:4:5 unknown-key` for each finding. */
export function places(loaded: LoadedCatalog): readonly string[] {
  return loaded.findings.map(({ rule, at }) => (at === undefined ? rule : `${at.file}:${at.line}:${at.column} ${rule}`))
}
