import { expect } from 'vitest'
import type { KindName } from '../../src/kinds/kind.ts'
import { catalogOf, lines, type Target } from './target.ts'

/** Kinds whose journeys are in account-wide.test.ts. All others are in convergence.test.ts. */
type AccountWide = Extract<
  KindName,
  | 'payment_method_domain'
  | 'payment_method_configuration'
  | 'tax_registration'
  | 'tax_settings'
  | 'event_destination'
  | 'payment_link'
>

/** A journey for each kind: a missing one does not compile. */
export type AccountWideJourneys = Readonly<Record<AccountWide, readonly State[]>>
export type Journeys = Readonly<Record<Exclude<KindName, AccountWide>, readonly State[]>>

/** A state of the YAML: its name, its sections, and the plan that reaches it. */
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
    // Without the store, marks and natural keys of the objects lead to the same result.
    target.known = []
    expect([`without the store: ${name}`, ...lines(await target.plan(catalog))]).toEqual([`without the store: ${name}`])
    target.known = [...again.ids].map(([address, id]) => ({ address, id, applied: again.forms.get(address) ?? null }))
  }
}
