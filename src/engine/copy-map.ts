import { accountNamed, type Context } from './context.ts'
import { CommandError } from '../core/outcome.ts'
import type { CopyMapRow } from './ports.ts'
import { readMethod } from './read/payment-methods.ts'
import { read } from './send/perform.ts'

export interface CopyMapImport {
  readonly source: string
  readonly rows: number
  readonly added: number
  readonly changed: number
  readonly unchanged: number
}

type Row = Omit<CopyMapRow, 'importedAt'>

/**
 * Stores rows read from Stripe's PAN-copy CSV. A later row for the same old payment method wins
 * only if its new id exists in the target, and for the same old customer only if the copy keeps the
 * customer's id: so the file from Stripe corrects one whose rows were mixed up.
 * @throws CommandError `copy_map_conflict` when one old customer maps to two new ones, one payment
 * method belongs to two customers, or neither of two new ones exists; `copy_map_source` when the
 * file belongs to another account.
 */
export async function importCopyMap(context: Context, source: string, rows: readonly Row[]): Promise<CopyMapImport> {
  if (!context.accounts.sources.has(source))
    throw new CommandError('copy_map_source', `the project has no source account named ${source}`, {
      notDone: 'nothing of this file was imported',
      fix: `name one of ${[...context.accounts.sources.keys()].join(', ')}`,
    })
  await refuseForeign(context, source, rows)
  const known = new Map<string, CopyMapRow>()
  const customers = new Map<string, string>()
  const owners = new Map<string, string>()
  for await (const row of context.store.copyMap(source)) {
    known.set(rowKey(row), row)
    customers.set(row.customerOld, row.customerNew)
    owners.set(row.sourceOld, row.customerOld)
  }
  const importedAt = context.accounts.target.now()
  const added: CopyMapRow[] = []
  const changed: CopyMapRow[] = []
  for (const row of rows) {
    const other = customers.get(row.customerOld)
    if (other !== undefined && other !== row.customerNew && !(await keepsId(context, row, customers.has(other))))
      throw conflict(row.customerOld, other, row.customerNew)
    customers.set(row.customerOld, row.customerNew)
    const owner = owners.get(row.sourceOld)
    if (row.sourceOld !== '' && owner !== undefined && owner !== row.customerOld) throw stolen(row, owner)
    const before = known.get(rowKey(row))
    if (before === undefined) added.push({ ...row, importedAt })
    else if (
      before.customerNew !== row.customerNew ||
      (before.sourceNew !== row.sourceNew && (await laterWins(context, before, row)))
    )
      changed.push({ ...row, importedAt })
  }
  await context.store.putCopyMap([...added, ...changed])
  const unchanged = rows.length - added.length - changed.length
  return { source, rows: rows.length, added: added.length, changed: changed.length, unchanged }
}

/** Enough customers to tell one account from another. */
const sampled = 5

/**
 * A file imported under another account's name would map no customer, without an error. An account
 * still knows its deleted customers.
 */
async function refuseForeign(context: Context, source: string, rows: readonly Row[]): Promise<void> {
  const customers = [...new Set(rows.map(({ customerOld }) => customerOld))]
  const gap = Math.max(1, Math.floor(customers.length / sampled))
  const sample = customers.filter((_, at) => at % gap === 0).slice(0, sampled)
  if (sample.length === 0) return
  const knows = async (name: string): Promise<boolean> => {
    const account = accountNamed(context, name)
    for (const id of sample) {
      const found = await read(context, account, `/v1/customers/${id}`)
      // When the account cannot be read, the file is accepted.
      if (found.ok || found.failure.code !== 'resource_missing') return true
    }
    return false
  }
  if (await knows(source)) return
  const others = [...context.accounts.sources.keys()].filter((name) => name !== source)
  const home: string[] = []
  for (const name of others) if (await knows(name)) home.push(name)
  throw new CommandError('copy_map_source', `${source} knows none of the file's customers (${sample.join(', ')} …)`, {
    notDone: 'nothing of this file was imported',
    fix:
      home.length === 0
        ? 'name the account that was copied'
        : `it is the file of ${home.join(' or ')}: --source ${home[0]}`,
  })
}

function stolen({ sourceOld, customerOld }: Row, owner: string): CommandError {
  return new CommandError(
    'copy_map_conflict',
    `${sourceOld} belonged to ${owner} before and belongs to ${customerOld} now`,
    {
      notDone: 'nothing of this file was imported',
      fix: 'download the mapping file of the last copy again and check that it belongs to this source and target',
    },
  )
}

function rowKey({ customerOld, sourceOld }: Row): string {
  return `${customerOld} ${sourceOld}`
}

async function laterWins(context: Context, before: Row, later: Row): Promise<boolean> {
  if (await exists(context, later)) return true
  if (await exists(context, before)) return false
  throw conflict(later.sourceOld, before.sourceNew, later.sourceNew)
}

/** Whether the copied payment method exists. */
async function exists(context: Context, row: Pick<Row, 'customerNew' | 'sourceNew'>): Promise<boolean> {
  return (await readMethod(context, row)) !== undefined
}

/**
 * A copy keeps the customer's id. One that was deleted in the target since may have been copied
 * again under another id, unless that id is another old customer's (`isAnothers`): then the earlier
 * line was mixed up.
 */
async function keepsId(context: Context, { customerOld, customerNew }: Row, isAnothers: boolean): Promise<boolean> {
  if (customerOld !== customerNew) return false
  const found = await read(context, context.accounts.target, `/v1/customers/${customerNew}`)
  return found.ok && (found.value['deleted'] !== true || isAnothers)
}

function conflict(old: string, one: string, other: string): CommandError {
  return new CommandError('copy_map_conflict', `${old} was copied to ${one} before and to ${other} now`, {
    notDone: 'nothing of this file was imported',
    fix: 'download the mapping file of the last copy again and check that it belongs to this source and target',
  })
}
