import { afterAll, beforeAll, expect, test } from 'vitest'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'
import { openPulled } from './school.ts'
import { member, prices } from './stories/world.ts'

let begun: Sandbox
beforeAll(async () => {
  begun = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(begun)
  const { monthly } = await prices(us)
  await us.subscriptions.create({ customer: await member(us), items: [{ price: monthly ?? '' }] })
  await begun.world.advance(at('2026-02-25T00:00:00Z'))
})
afterAll(() => begun.close())

const paused = { behavior: 'void', resumes_at: Date.parse('2026-06-01T00:00:00Z') / 1_000 } as const

/** What the member does in the target, after which the old subscription is paused or not. */
const acts = {
  'paused in the target': { before: null, now: paused },
  'resumed in the target': { before: paused, now: null },
} as const

test.each(Object.keys(acts) as (keyof typeof acts)[])(
  'promise 6: a member who %s, reverted and killed after every request: an empty store brings back the pause as it is now',
  async (name) => {
    const { before, now } = acts[name]
    const requests = 4
    for (const boundary of boundaries(requests).filter(({ side }) => side === 'after')) {
      const copy = cloneSandbox(begun)
      const us = clientOf(copy)
      const [one] = (await us.subscriptions.list({})).data
      if (before !== null) await us.subscriptions.update(one?.id ?? '', { pause_collection: before })
      await using school = await openPulled(copy, 'policies: { collection_paused: carry }\n')
      await planAndApply(school.stage('target'))
      const target = clientOf(school.rig.sandbox, 'target')
      const [successor] = (await target.subscriptions.list({})).data
      await target.subscriptions.update(successor?.id ?? '', { pause_collection: now ?? '' })
      const context = school.stage('source')
      await dieAt(context, boundary, planAndApply)
      await planAndApply(await elsewhere(context))
      const [after] = (await us.subscriptions.list({})).data
      expect({ at: told(boundary), pause: after?.pause_collection }).toEqual({ at: told(boundary), pause: now })
    }
  },
  60_000,
)
