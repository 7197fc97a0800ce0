import type { ApplyResult } from './apply.ts'
import type { Context } from '../context.ts'
import { planOf } from '../make-plan.ts'
import { survey, type Survey } from '../read/survey.ts'

/** Reads everything again: nothing may be left to do where something was done. The store takes note of what is there. */
export async function proveDone(context: Context, touched: ReadonlySet<string>): Promise<ApplyResult['remaining']> {
  const seen = await survey(context)
  const after = await planOf(context, seen)
  await noteResources(context, seen, new Set(after.changes.map(({ address: open }) => open)))
  return after.changes
    .filter(({ address }) => touched.has(address))
    .map(({ address, action, because }) => ({ address, action, because }))
}

/** What an earlier run made and died before it took note of: those who refer to it need its id. */
export async function noteMissing({ store, accounts }: Context, { resources, known }: Survey): Promise<void> {
  const there = new Set(known.map(({ address: at }) => at))
  const missing = [...resources.ids].filter(([at]) => !there.has(at))
  const account = accounts.target.name
  await store.putObjects(missing.map(([at, id]) => ({ address: at, account, id, applied: null })))
}

export async function noteResources(
  { store, accounts }: Context,
  { resources, known }: Survey,
  open: ReadonlySet<string>,
): Promise<void> {
  const before = new Map(known.map((record) => [record.address, record]))
  const settled = [...resources.ids].filter(([at]) => !open.has(at))
  const records = settled.map(([at, id]) => ({
    address: at,
    account: accounts.target.name,
    id,
    applied: resources.forms.get(at) ?? null,
  }))
  await store.putObjects(
    records.filter(({ address: at, id, applied }) => {
      const old = before.get(at)
      return old?.id !== id || old.applied !== applied
    }),
  )
}
