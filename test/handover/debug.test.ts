import { test } from 'vitest'
import { drive, Killed } from './drive.ts'
import { memberOf, stageAt, subscribe } from './stage.ts'

test('debug', async () => {
  const stage = await stageAt('2026-01-31T09:15:00Z')
  await subscribe(stage, await memberOf(stage), { discounts: [{ coupon: 'welcome-20' }] })
  await stage.advance('2026-03-05T00:00:00Z')
  await stage.copy()
  let [one] = await stage.classify('target')
  if (!one || !('plan' in one)) throw new Error(JSON.stringify(one))
  console.log(
    (
      await drive(stage, one.plan, {
        story: {
          before: (s) => {
            if (s.phase === 'creating') throw new Killed()
          },
        },
      })
    ).trail,
  )
  for (let i = 0; i < 3; i++) {
    ;[one] = await stage.classify('target')
    const plan = one?.recovery ?? (one && 'plan' in one ? one.plan : undefined)
    console.log(one?.outcome, one?.standing, one?.recovery?.goal)
    if (plan) {
      const d = await drive(stage, plan)
      console.log(d.trail.join(' '), d.state.reason, d.state.alarm)
    }
  }
  await stage.advance('2026-04-03T00:00:00Z')
  for (let i = 0; i < 2; i++) {
    ;[one] = await stage.classify('source')
    const plan = one?.recovery ?? (one && 'plan' in one ? one.plan : undefined)
    console.log(one?.outcome, one?.standing, one?.recovery?.goal)
    if (plan) {
      const d = await drive(stage, plan)
      console.log(d.trail.join(' '), d.state.reason, d.state.alarm)
    }
  }
})
