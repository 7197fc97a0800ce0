import { concerned } from '../../assumptions/concerns.ts'
import { question, rows } from '../../assumptions/questions.ts'
import type { Catalog } from '../../catalog/types.ts'
import { switches, switchNames, type Unsure } from '../../sandbox/kernel/unsure.ts'

/**
 * What a possible world changes for the people of the project: one sentence for each switch that
 * differs from the default. Empty for the default world.
 */
export function worldSays(unsure: Readonly<Unsure>, catalog: Catalog): readonly string[] {
  return switchNames
    .filter((name) => unsure[name] !== switches[name].default)
    .map((name) => {
      const { row: number, asks } = switches[name]
      const row = rows.find((one) => one === number)
      if (row === undefined) return `${name}=${unsure[name]}: ${asks}`
      const { readings = {}, concerns } = question(row)
      const { count, text } = concerned(concerns, catalog)
      const whom = count === 0 ? 'It concerns no subscriber. ' : `${text}. `
      return `${name}=${unsure[name]} (row ${row}): ${whom}${readings[String(unsure[name])] ?? asks}`
    })
}
