import { expect, test, vi } from 'vitest'
import type { Catalog } from '../../src/catalog/types.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { load } from '../catalog/project.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, openRig, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 60_000 })

const catalogOf = (percentage: string, percentOff = 20): Catalog => {
  const { catalog, findings } = load({
    'tax-rates.yaml': `tax_rates:\n  vat: { display_name: VAT, inclusive: false, percentage: ${percentage} }\n`,
    'coupons.yaml': `coupons:\n  founder: { percent_off: ${percentOff}, duration: forever }\n`,
  })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

test('nothing silent: who keeps an earlier tax rate or coupon is named before the change and after it', async () => {
  await using rig = await openRig(catalogOf('8.25'), { clock: at('2027-01-01T12:00:00Z') })
  await planAndApply(rig.context)
  const target = clientOf(rig.sandbox, 'target')
  const objects = await rig.context.store.objects()
  const idOf = (address: string): string => objects.find((one) => one.address === address)?.id ?? ''
  const customer = await target.customers.create({
    email: 'a@example.com',
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  })
  const { id } = await target.subscriptions.create({
    customer: customer.id,
    items: [{ price: idOf('price.membership-monthly-usd') }],
    default_tax_rates: [idOf('tax_rate.vat')],
    discounts: [{ coupon: idOf('coupon.founder') }],
  })
  const told = (notices: readonly { readonly code: string; readonly subscriber: string; readonly message: string }[]) =>
    notices
      .filter(({ code }) => code === 'earlier_version')
      .map(({ subscriber, message }) => `${subscriber} ${message}`)
  const changed = rig.with(catalogOf('8.5, on_change: new_only', 30))
  const expected = [
    expect.stringMatching(/^tax_rate\.vat 1 subscription keeps txr_\w+ \(8\.25 %\), .*: target\/sub_/),
    expect.stringMatching(/^coupon\.founder 1 subscription keeps \S+ \(20 %\), .*: target\/sub_/),
  ]
  expect(told((await verify(changed)).notices)).toEqual([])
  expect(told((await makePlan(changed)).notices ?? [])).toEqual(expected)
  await planAndApply(changed)
  expect(told((await verify(changed)).notices)).toEqual(expected)
  expect(told((await verify(changed)).notices).join()).toContain(id)
})
