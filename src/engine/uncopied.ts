import type { Context } from './context.ts'

/** The sources with subscribers to move of which no copy map was imported. */
export async function uncopiedSources({
  store,
  catalog,
  accounts,
}: Pick<Context, 'store' | 'catalog' | 'accounts'>): Promise<readonly string[]> {
  const found: string[] = []
  for (const source of accounts.sources.keys()) {
    const people = catalog.subscribers.some((one) => one.source === source && one.excluded === undefined)
    if (people && !(await hasCopyMap(store, source))) found.push(source)
  }
  return found
}

async function hasCopyMap(store: Context['store'], source: string): Promise<boolean> {
  for await (const _row of store.copyMap(source)) return true
  return false
}
