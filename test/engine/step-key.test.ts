import { expect, test } from 'vitest'
import { stepKey } from '../../src/engine/apply/step-key.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { fillParams } from '../../src/engine/send/references.ts'
import { load } from '../catalog/project.ts'
import { openRig, planAndApply } from './rig.ts'

async function keyOfPrice(context: Context, product: string): Promise<string> {
  const { changes } = await makePlan(context)
  const change = changes.find(({ address }) => address === 'price.membership-monthly-usd')
  const [step] = change?.steps ?? []
  if (change === undefined || step === undefined) throw new Error('no price is created')
  const filled = fillParams(step.params, () => product)
  if (!filled.ok) throw new Error(filled.missing.join())
  return stepKey('school', change, step, filled.value)
}

test('promise 11: a run that plans a price before its product exists creates the same price as a later run', async () => {
  const whole = load().catalog
  const alone = load({ 'prices.yaml': 'prices: {}\n' }).catalog
  if (whole === undefined || alone === undefined) throw new Error('the catalog does not load')
  await using rig = await openRig(whole)
  const before = await keyOfPrice(rig.context, 'membership')
  await planAndApply(rig.with(alone))
  const [product] = await rig.context.store.objects()
  expect(await keyOfPrice(rig.with(whole), product?.id ?? '')).toBe(before)
})
