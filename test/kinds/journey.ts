import { expect } from 'vitest'
import { catalogOf, lines, type Target } from './target.ts'

/** A state of the YAML: what it is, its sections, and what the plan does to reach it. */
export type State = readonly [name: string, sections: string, expected: readonly string[]]

/**
 * Takes an account through the states. After each, nothing is left to do, with the store and
 * without it.
 */
export async function travel(target: Target, states: readonly State[]): Promise<void> {
  for (const [name, sections, expected] of states) {
    const catalog = catalogOf(sections)
    const plan = await target.plan(catalog)
    expect([name, ...lines(plan)]).toEqual([name, ...expected])
    await target.apply(plan)
    const again = await target.plan(catalog)
    expect([`after: ${name}`, ...lines(again)]).toEqual([`after: ${name}`])
    expect(again.unchanged).toBe(catalog.resources.length)
    // The objects alone, by their marks or their natural keys, lead to the same conclusion.
    target.known = []
    expect([`without the store: ${name}`, ...lines(await target.plan(catalog))]).toEqual([`without the store: ${name}`])
    target.known = [...again.ids].map(([address, id]) => ({ address, id, applied: again.forms.get(address) ?? null }))
  }
}
