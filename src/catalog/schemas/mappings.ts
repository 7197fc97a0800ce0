import type { TSchema } from 'typebox'
import { closed, keyOf, mapOf, optional } from '../../kinds/schema.ts'

const idPattern = '^[A-Za-z0-9][A-Za-z0-9_.-]*$'

const part = (section: string): TSchema =>
  optional(mapOf(idPattern, keyOf(section), `Id in that account → key of ${section}`))

/** `mappings/<source>.yaml`: the key in this catalog for each old object. */
export const mappingsSchema: TSchema = closed({
  products: part('products'),
  prices: part('prices'),
  tax_rates: part('tax_rates'),
  coupons: part('coupons'),
  meters: part('meters'),
  features: part('features'),
})

/** `mappings/target.yaml`: objects of any kind that exist in the target and are adopted. */
export function targetMappingsSchema(sections: readonly string[]): TSchema {
  return closed(Object.fromEntries(sections.map((section) => [section, part(section)])))
}
