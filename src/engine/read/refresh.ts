import type { Live, LiveAccount } from '../../live/accounts.ts'
import type { Context } from '../context.ts'
import { readAccount } from './account.ts'
import { readOnce } from './lists.ts'
import { kindsToRead, readResources } from './resources.ts'

export interface RefreshOptions {
  /** Read only these sources; all of them when absent. */
  readonly sources?: readonly string[]
}

/**
 * Reads the live accounts in full; lists only. Writes nothing.
 * @throws CommandError when a list cannot be read to its end: an incomplete list is never an
 * answer.
 */
export async function refresh(
  context: Pick<Context, 'accounts' | 'progress' | 'catalog' | 'store'>,
  options: RefreshOptions = {},
): Promise<Live> {
  const { accounts, progress } = context
  const wanted = [...accounts.sources.values()].filter(({ name }) => options.sources?.includes(name) ?? true)
  const named = kindsToRead(context.catalog, await context.store.objects())
  progress.start('reading accounts')
  const target = readOnce(accounts.target)
  const [live, resources, ...sources] = await Promise.all([
    readAccount(target, progress),
    readResources(target, named),
    ...wanted.map((account) => readAccount(account, progress)),
  ])
  progress.done()
  return { target: live, resources, sources: new Map(sources.map((one: LiveAccount) => [one.name, one])) }
}
