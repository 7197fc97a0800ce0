import { isJsonObject, type JsonObject, objectIn } from '../core/json.ts'
import type { SubscriberKey } from '../core/address.ts'
import type { Instant } from '../core/instant.ts'
import type { ToAdopt } from '../handover/to-adopt.ts'
import type { LiveAccount, LiveResources } from '../live/accounts.ts'
import { kinds } from '../kinds/registry.ts'
import type { KindName } from '../kinds/kind.ts'
import { KeyTable, type PulledAccount } from './consolidate.ts'
import { pulledEntries } from './entries.ts'
import { PulledFiles } from './files.ts'
import { pulledTarget } from './target.ts'
import { pulledWaves } from './waves.ts'
import type { Whereabouts } from './whereabouts.ts'
import { targetAccount } from '../catalog/types.ts'
import { readYaml } from '../catalog/yaml-file.ts'

export interface PullInput {
  /** Name of the project, as in its marks. */
  readonly project: string
  /** Accounts to pull, in the project's order: sources, or the target for its own catalog. */
  readonly accounts: readonly { readonly live: LiveAccount; readonly resources: LiveResources }[]
  /** The existing YAML, by path relative to catalog/. */
  readonly files: ReadonlyMap<string, string>
  readonly now: Instant
  /** What moved subscribers changed in the target, and what is wrong in their entries. */
  readonly changedInTarget?: ReadonlyMap<SubscriberKey, ToAdopt>
  /** Moved subscribers with their stage or their project; new entries get this stage. */
  readonly whereabouts?: ReadonlyMap<SubscriberKey, Whereabouts>
  /**
   * Old prices whose line in the mappings names another price, by account. Nothing is written from
   * such a line: the entries name the price that is billed, and a person corrects the line.
   */
  readonly wronglyMapped?: ReadonlyMap<string, ReadonlySet<string>>
  /** Number of subscribers in a new wave; 500 by default. */
  readonly waveSize?: number
}

export interface Pulled {
  /** New and changed files; empty when the account has not changed. */
  readonly files: ReadonlyMap<string, string>
  /** What was found, merged and changed, one sentence each, without personal data. */
  readonly notes: readonly string[]
  readonly summary: Readonly<Record<string, number>>
}

/**
 * Writes accounts as YAML: the catalog that their subscriptions need, with equal objects merged,
 * the mappings from the old ids, and the subscribers in waves. Text by people stays: keys,
 * comments, stages and changed entries. Pure: equal input gives equal bytes.
 */
export function pullCatalog(input: PullInput): Pulled {
  const { now, project } = input
  const files = new PulledFiles(input.files)
  const notes: string[] = []
  const tables = new Map(
    input.accounts.map(({ live: { name } }) => [name, new KeyTable(name, mappingsIn(input, name))]),
  )
  const sources = input.accounts.filter(({ live }) => live.name !== targetAccount)
  const accounts: readonly PulledAccount[] = sources.map(({ live, resources }) => ({
    name: live.name,
    resources,
    subscriptions: live.subscriptions,
    customers: live.customers,
    schedules: live.schedules,
  }))
  const summary = pulledEntries({ accounts, tables, files, notes, now })
  const add = (found: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(found)) summary[name] = (summary[name] ?? 0) + count
  }
  for (const { live, resources } of input.accounts) {
    const table = tables.get(live.name)
    if (table === undefined) continue
    add(
      live.name === targetAccount
        ? pulledTarget({ project, resources, table, files, notes })
        : pulledWaves({
            live,
            table,
            files,
            notes,
            size: input.waveSize ?? 500,
            changedInTarget: input.changedInTarget ?? new Map(),
            whereabouts: input.whereabouts ?? new Map(),
          }),
    )
  }
  return { files: files.changed(), notes, summary }
}

/**
 * The current `mappings/<account>.yaml`. A file that cannot be read maps nothing; `validate`
 * reports its errors.
 */
function mappingsIn(
  { files, wronglyMapped }: Pick<PullInput, 'files' | 'wronglyMapped'>,
  account: string,
): Partial<Record<KindName, Record<string, string>>> {
  const path = `mappings/${account}.yaml`
  const reading = readYaml(path, files.get(path) ?? '')
  const whole: JsonObject = 'file' in reading ? objectIn(reading.file.value) : {}
  const wrong = wronglyMapped?.get(account)
  return Object.fromEntries(
    kinds.flatMap(({ name, section }) => {
      const lines = whole[section]
      if (!isJsonObject(lines)) return []
      const right = Object.entries(lines).filter(([id]) => name !== 'price' || wrong?.has(id) !== true)
      return [[name, Object.fromEntries(right) as Record<string, string>]]
    }),
  )
}
