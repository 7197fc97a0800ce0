import type { Catalog } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { openStore, type OpenStore } from '../../src/store/open.ts'
import { openRig } from '../engine/rig.ts'
import { connect } from './service.ts'

/**
 * Machines that run the commands, each with a store of its own and the same YAML: the laptop keeps
 * its store, CI begins with an empty one each time, and another machine has a copy of the laptop's
 * that grows old.
 */
export type Checkout = 'laptop' | 'ci' | 'old copy'

export interface Machine {
  readonly context: Context & { readonly store: OpenStore }
  /** No other run ever opens this store. */
  readonly isAlone: boolean
}

/** The stores beside the laptop's. */
export class Checkouts implements AsyncDisposable {
  private readonly opened: OpenStore[] = []
  private copy: OpenStore | undefined

  /** The state folder is copied. */
  async keep(laptop: OpenStore): Promise<void> {
    this.copy = await this.empty(laptop)
    await this.copy.putObjects(await laptop.objects())
    await this.copy.putSubscribers(await laptop.subscribers())
    await this.copy.inbox.putGrants(await laptop.inbox.grants())
  }

  /** Another machine: connections and a clock of its own. */
  async machine(
    where: Exclude<Checkout, 'laptop'>,
    around: {
      readonly sandbox: Sandbox
      readonly catalog: Catalog
      readonly laptop: OpenStore
      readonly offers: NonNullable<Context['access']>['offers']
    },
  ): Promise<Machine> {
    const store = where === 'old copy' ? this.copy : undefined
    const own = store ?? (await this.empty(around.laptop))
    // The rig brings a store that is not used.
    const { context } = await openRig(around.catalog, around.sandbox)
    await context.store.close()
    const access = { kajabi: connect(around.sandbox), grants: own.inbox, offers: around.offers }
    return { context: { ...context, store: own, access }, isAlone: store === undefined }
  }

  /** Nothing but the copy map, which the catalog brings. */
  private async empty(laptop: OpenStore): Promise<OpenStore> {
    const store = await openStore({ file: ':memory:' })
    this.opened.push(store)
    for await (const row of laptop.copyMap()) await store.putCopyMap([row])
    return store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.opened) await store.close()
  }
}
