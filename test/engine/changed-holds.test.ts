import { expect, test } from 'vitest'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members } from './members.ts'
import { elsewhere, planAndApply } from './rig.ts'

/*
 * Promise 1 and 6: a person changes the hold of a moved member in the Dashboard. Crossbill sets it
 * again and never undoes the move, whatever the member changed in the target since.
 */

const now = '2026-10-05T12:00:00Z'
const person = { since: '2026-09-20T09:15:00Z' }

const changes = {
  'taken off': { pause_collection: '' },
  'set to keep drafts': { pause_collection: { behavior: 'keep_as_draft' } },
  'set to mark uncollectible': { pause_collection: { behavior: 'mark_uncollectible' } },
  'given an end': { pause_collection: { behavior: 'void', resumes_at: 1_798_000_000 } },
  'taken off with its mark': { pause_collection: '', metadata: { crossbill_hold: '' } },
} as const

test.each(Object.entries(changes))(
  'a hold that is %s is named by verify and plan, and set again beside a changed new subscription',
  async (_, change) => {
    await using school = await members([person], now)
    await planAndApply(school.stage('target'))
    const [old = ''] = school.subscriptions
    const { data } = await school.target.subscriptions.list({})
    const id = data[0]?.id ?? ''
    await school.advance('2026-10-22T00:00:00Z')
    const items = [{ id: data[0]?.items.data[0]?.id ?? '', quantity: 2 }]
    await school.target.subscriptions.update(id, { items, proration_behavior: 'none' })
    await school.us.subscriptions.update(old, change)
    // The store is lost as well.
    const context = await elsewhere(school.stage('target'))
    expect((await verify(context)).violations.map(({ code }) => code)).toContain('hold_missing')
    expect((await makePlan(context)).blocked.map(({ code }) => code)).toEqual(['hold_missing'])
    await planAndApply(context)
    expect((await school.target.subscriptions.retrieve(id)).status).toBe('active')
    const held = await school.us.subscriptions.retrieve(old)
    expect(held.pause_collection).toMatchObject({ behavior: 'void', resumes_at: null })
    // The change in the target is a change, and nothing else is wrong.
    expect((await verify(context)).violations.map(({ code }) => code)).toEqual(['terms_differ'])
  },
)
