import { expect, test, vi } from 'vitest'
import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import type { Stage } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { type Members, members } from './members.ts'
import { elsewhere, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

/*
 * Each situation is played, what is printed for its code is followed word for word, and the code
 * must be gone. A remedy that cannot work in its situation fails here.
 */

const now = '2026-10-05T12:00:00Z'
const policies = 'policies: { uncharged_period: invoice }'

/** The entry of the one member, as a person edits it. */
interface Entry {
  readonly stage: Stage
  readonly override?: readonly OverrideCode[]
  readonly excluded?: string
  readonly pays_twice?: string
  readonly unstaged?: true
  readonly policies?: string
}

interface Scene {
  readonly school: Members
  readonly old: string
  readonly customer: string
  /** The newest subscription in the target. */
  readonly successor: () => Promise<string>
  readonly at: (entry: Entry) => Context
}

interface Remedy {
  readonly code: string
  readonly when: string
  /** Makes the situation. */
  readonly play: (scene: Scene) => Promise<unknown>
  /** The entry in the situation; its stage is `target` without one. */
  readonly entry?: Entry
  /** What the fix must say, to be followed. */
  readonly says: RegExp
  /** Does what the fix says in the accounts. */
  readonly follow?: (scene: Scene) => Promise<unknown>
  /** The entry as the fix says. */
  readonly becomes?: Entry
}

const moved = async ({ at }: Scene): Promise<unknown> => planAndApply(at({ stage: 'target' }))
async function pausedThere(scene: Scene, until?: string): Promise<void> {
  await moved(scene)
  await scene.school.target.subscriptions.update(await scene.successor(), {
    pause_collection: {
      behavior: 'void',
      ...(until === undefined ? {} : { resumes_at: Date.parse(until) / 1_000 }),
    },
  })
}

const resumed = async ({ school, successor }: Scene): Promise<unknown> =>
  school.target.subscriptions.update(await successor(), { pause_collection: '' })

const bare = { crossbill_from: '', crossbill_project: '', crossbill_holds: '', crossbill_payment: '' }

const remedies: readonly Remedy[] = [
  {
    code: 'held_without_successor',
    when: 'the hold is kept on purpose, and the new one bills under no mark and for another quantity',
    play: async (scene) => {
      await moved(scene)
      const id = await scene.successor()
      const { items } = await scene.school.target.subscriptions.retrieve(id)
      await scene.school.target.subscriptions.update(id, {
        metadata: bare,
        items: [{ id: items.data[0]?.id ?? '', quantity: 3 }],
        proration_behavior: 'none',
      })
    },
    says: /write `crossbill_from: us\/sub_\w+` into its metadata/,
    follow: async ({ school, successor, old }) =>
      school.target.subscriptions.update(await successor(), { metadata: { crossbill_from: `us/${old}` } }),
  },
  {
    code: 'held_without_successor',
    when: 'the hold is kept on purpose, and nothing in the target continues it',
    play: async (scene) => {
      await moved(scene)
      await scene.school.target.subscriptions.update(await scene.successor(), { metadata: bare })
      await scene.school.target.subscriptions.cancel(await scene.successor())
    },
    says: /otherwise resume its collection there and remove `crossbill_hold`/,
    follow: async ({ school, old }) =>
      school.us.subscriptions.update(old, { pause_collection: '', metadata: { crossbill_hold: '' } }),
    becomes: { stage: 'source' },
  },
  {
    code: 'held_without_successor',
    when: 'the member left, and nothing in the target continues it',
    play: async (scene) => {
      await moved(scene)
      await scene.school.target.subscriptions.update(await scene.successor(), { metadata: bare })
      await scene.school.target.subscriptions.cancel(await scene.successor())
    },
    says: /if the member left, cancel the old one in the Dashboard of us/,
    follow: async ({ school, old }) => school.us.subscriptions.cancel(old),
  },
  {
    code: 'hold_missing',
    when: 'a person resumed the collection',
    play: async (scene) => {
      await moved(scene)
      await scene.school.us.subscriptions.update(scene.old, { pause_collection: '' })
    },
    says: /crossbill apply/,
    follow: async ({ at }) => planAndApply(at({ stage: 'target' })),
  },
  {
    code: 'ended_in_target',
    when: 'the member left there',
    play: async (scene) => {
      await moved(scene)
      await scene.school.target.subscriptions.cancel(await scene.successor())
    },
    says: /set the stage to `settled`, then crossbill apply/,
    follow: async ({ at }) => planAndApply(at({ stage: 'settled' })),
    becomes: { stage: 'settled' },
  },
  {
    code: 'cancelled_in_source',
    when: 'cancelled by an old door, and they stay',
    play: async (scene) => {
      await moved(scene)
      await scene.school.us.subscriptions.cancel(scene.old)
    },
    says: /name `cancelled_in_source` under `override`/,
    becomes: { stage: 'target', override: ['cancelled_in_source'] },
  },
  {
    code: 'drift_on_held_source',
    when: 'the quantity changed in the old portal',
    play: async (scene) => {
      await moved(scene)
      const { items } = await scene.school.us.subscriptions.retrieve(scene.old)
      await scene.school.us.subscriptions.update(scene.old, { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }] })
    },
    says: /make the same change in the target, then name `drift_on_held_source` under `override`/,
    follow: async ({ school, successor }) => {
      const { items, id } = await school.target.subscriptions.retrieve(await successor())
      await school.target.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }] })
    },
    becomes: { stage: 'target', override: ['drift_on_held_source'] },
  },
  {
    code: 'money_on_held_source',
    when: 'an item was added in the old account',
    play: async (scene) => {
      await moved(scene)
      const { customer, old } = scene
      await scene.school.us.invoiceItems.create({ customer, subscription: old, amount: 700, currency: 'usd' })
    },
    says: /bill it in the target, .* and remove it there/,
    follow: async ({ school, successor }) => {
      const { customer, id } = await school.target.subscriptions.retrieve(await successor())
      const item = { customer: customer as string, subscription: id, amount: 700, currency: 'usd' }
      await school.target.invoiceItems.create(item)
      const [waiting] = (await school.us.invoiceItems.list({ pending: true })).data
      await school.us.invoiceItems.del(waiting?.id ?? '')
    },
  },
  {
    code: 'money_left_behind',
    when: 'the member left while an item waited',
    play: async (scene) => {
      await moved(scene)
      const { customer, id } = await scene.school.target.subscriptions.retrieve(await scene.successor())
      const item = { customer: customer as string, subscription: id, amount: 700, currency: 'usd' }
      await scene.school.target.invoiceItems.create(item)
      await scene.school.target.subscriptions.cancel(id)
    },
    says: /create an invoice with the same amount.*remove what is left: delete an item/,
    follow: async ({ school }) => {
      const [item] = (await school.target.invoiceItems.list({ pending: true })).data
      const { id } = await school.target.invoices.create({ customer: (item?.customer as string) ?? '' })
      const owed = { customer: item?.customer as string, invoice: id ?? '', amount: 700, currency: 'usd' }
      await school.target.invoiceItems.create(owed)
      await school.target.invoiceItems.del(item?.id ?? '')
    },
  },
  {
    code: 'money_left_in_target',
    when: 'reverted, and a credit came in the target since',
    play: async (scene) => {
      await moved(scene)
      const { customer } = await scene.school.target.subscriptions.retrieve(await scene.successor())
      await planAndApply(scene.at({ stage: 'source' }))
      const credit = { amount: -500, currency: 'usd' }
      await scene.school.target.customers.createBalanceTransaction(customer as string, credit)
    },
    entry: { stage: 'source' },
    says: /give it to cus_\w+ in the old account, then remove it in the target: .*adjust a balance to zero/,
    follow: async ({ school, customer }) => {
      await school.us.customers.createBalanceTransaction(customer, { amount: -500, currency: 'usd' })
      const [there] = (await school.target.customers.list()).data.filter(({ balance }) => balance !== 0)
      await school.target.customers.createBalanceTransaction(there?.id ?? '', { amount: 500, currency: 'usd' })
    },
    becomes: { stage: 'source' },
  },
  {
    code: 'unmarked_successor',
    when: 'the mark and the hold were removed, and both are wanted',
    play: async (scene) => {
      await moved(scene)
      await scene.school.target.subscriptions.update(await scene.successor(), { metadata: bare })
      await scene.school.us.subscriptions.update(scene.old, { pause_collection: '', metadata: { crossbill_hold: '' } })
    },
    says: /If the member wants both, give the reason under `pays_twice`/,
    becomes: { stage: 'source', pays_twice: 'a gift' },
  },
  {
    code: 'duplicate_target',
    when: 'a person sold the same again and copied the metadata',
    play: async (scene) => {
      await moved(scene)
      const { customer, items, metadata } = await scene.school.target.subscriptions.retrieve(await scene.successor())
      const price = items.data[0]?.price.id ?? ''
      await scene.school.target.subscriptions.create({ customer: customer as string, items: [{ price }], metadata })
    },
    says: /cancel the wrong one in the target/i,
    follow: async ({ school }) => {
      const all = (await school.target.subscriptions.list({})).data.toSorted((a, b) => b.created - a.created)
      const [wrong] = all.filter((one) => one.start_date === one.created)
      await school.target.subscriptions.cancel(wrong?.id ?? all[0]?.id ?? '')
    },
  },
  {
    code: 'no_payer',
    when: 'the collection of the new one was paused',
    play: (scene) => pausedThere(scene),
    // The way back would only carry the pause along.
    says: /^resume collection of the new subscription in the Dashboard of the target; to set the stage back .* nobody would be charged$/,
    follow: resumed,
  },
  {
    code: 'paused_in_target',
    when: 'the collection of the new one was paused, and is not meant to be',
    play: (scene) => pausedThere(scene),
    says: /resume the collection in the Dashboard of the target/,
    follow: resumed,
  },
  {
    code: 'paused_in_target',
    when: 'the collection of the new one was paused until a date, and is meant to be',
    play: async (scene) => pausedThere(scene, '2027-03-01T00:00:00Z'),
    says: /if it is, name `paused_in_target` under `override`/,
    becomes: { stage: 'target', override: ['paused_in_target'] },
  },
  {
    code: 'no_payer',
    when: 'the pause of the new one is meant to be',
    play: (scene) => pausedThere(scene),
    says: /resume collection/,
    becomes: { stage: 'target', override: ['paused_in_target'] },
  },
  {
    code: 'no_method_in_source',
    when: 'the card of the old account is gone, and the stage is set back',
    play: async (scene) => {
      await moved(scene)
      const { customer, school } = scene
      await school.us.customers.update(customer, { invoice_settings: { default_payment_method: '' } })
    },
    entry: { stage: 'source' },
    says: /Let the member enter a card in the old account, as the default of the customer/,
    follow: async ({ school, customer }) => {
      const { id } = await school.us.paymentMethods.attach('pm_card_mastercard', { customer })
      await school.us.customers.update(customer, { invoice_settings: { default_payment_method: id } })
    },
    becomes: { stage: 'source' },
  },
  {
    code: 'changed_since_move',
    when: 'the quantity changed in the target, and the stage is set back',
    play: async (scene) => {
      await moved(scene)
      const { items, id } = await scene.school.target.subscriptions.retrieve(await scene.successor())
      await scene.school.target.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }] })
    },
    entry: { stage: 'source' },
    says: /Make the same change to the old subscription, then name `changed_since_move` under `override`/,
    follow: async ({ school, old, at }) => {
      const { items } = await school.us.subscriptions.retrieve(old)
      await school.us.subscriptions.update(old, { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }] })
      await planAndApply(at({ stage: 'source', override: ['changed_since_move'] }))
    },
    becomes: { stage: 'source' },
  },
  {
    code: 'stage_unwritten',
    when: 'the entry of a moved member is written anew without a stage',
    play: moved,
    entry: { stage: 'source', unstaged: true },
    says: /Write `stage: target`/,
    becomes: { stage: 'target' },
  },
  {
    code: 'already_settled',
    when: 'the stage of a settled member is set back',
    play: async (scene) => {
      await moved(scene)
      await scene.school.advance('2026-10-21T12:00:00Z')
      await planAndApply(scene.at({ stage: 'settled' }))
    },
    entry: { stage: 'source' },
    says: /Set the stage to `settled`/,
    becomes: { stage: 'settled' },
  },
  {
    code: 'excluded_after_move',
    when: 'a moved member is excluded',
    play: moved,
    entry: { stage: 'source', excluded: 'stays' },
    says: /set `stage: source` instead and run `crossbill apply`; exclude them when the move is reverted/,
    follow: async ({ at }) => planAndApply(at({ stage: 'source' })),
    becomes: { stage: 'source', excluded: 'stays' },
  },
  {
    code: 'pending_invoice_items',
    when: 'an item waits before the move',
    play: async ({ school, customer }) => school.us.invoiceItems.create({ customer, amount: 700, currency: 'usd' }),
    says: /choose `policies.pending_invoice_items: carry`/,
    becomes: { stage: 'target', policies: 'policies: { pending_invoice_items: carry }' },
  },
  {
    code: 'customer_balance',
    when: 'the customer has a credit before the move',
    play: async ({ school, customer }) =>
      school.us.customers.createBalanceTransaction(customer, { amount: -700, currency: 'usd' }),
    says: /choose `policies.customer_balance: carry`/,
    becomes: { stage: 'target', policies: 'policies: { customer_balance: carry }' },
  },
  {
    code: 'collection_paused',
    when: 'the old account paused the collection',
    play: async ({ school, old }) => school.us.subscriptions.update(old, { pause_collection: { behavior: 'void' } }),
    says: /choose `policies.collection_paused: carry`/,
    becomes: { stage: 'target', policies: 'policies: { collection_paused: carry }' },
  },
]

async function scene(): Promise<Scene & AsyncDisposable> {
  const school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
  const [old = ''] = school.subscriptions
  const { customer } = await school.us.subscriptions.retrieve(old)
  return {
    school,
    old,
    customer: customer as string,
    async successor() {
      const [newest] = (await school.target.subscriptions.list({ status: 'all' })).data
      return newest?.id ?? ''
    },
    at({ stage, policies: own, ...edit }) {
      const catalog = school.at(stage, own ?? policies)
      const subscribers = catalog.subscribers.map((one) => ({ ...one, ...edit }))
      return school.rig.with({ ...catalog, subscribers, digest: `${catalog.digest} ${JSON.stringify(edit)}` })
    },
    [Symbol.asyncDispose]: () => school[Symbol.asyncDispose](),
  }
}

/** Each code of plan and verify, with the printed fix; from a checkout without a store. */
async function printed(context: Context): Promise<readonly { readonly code: string; readonly fix: string }[]> {
  const fresh = await elsewhere(context)
  const { blocked } = await makePlan(fresh)
  const { violations } = await verify(fresh)
  return [...blocked, ...violations].map(({ code, fix }) => ({ code, fix }))
}

test.each(remedies)(
  'the printed remedy of $code works when $when',
  async ({ code, play, entry, says, follow, becomes }) => {
    await using it = await scene()
    await play(it)
    const before = entry ?? { stage: 'target' }
    const told = (await printed(it.at(before))).filter((one) => one.code === code)
    // A plan and verify may both print one.
    expect(told.map(({ fix }) => fix).join('\n')).toMatch(says)
    await follow?.(it)
    const after = await printed(it.at(becomes ?? before))
    expect(after.filter((one) => one.code === code)).toEqual([])
  },
)
