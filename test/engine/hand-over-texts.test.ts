import { expect, test } from 'vitest'
import { itemNote, lineText, textsIn, withLiveValues } from '../../src/handover/live-values.ts'
import { readTexts } from '../../src/engine/handover/texts.ts'
import type { Job } from '../../src/engine/handover/job.ts'
import { members } from './members.ts'

test('texts of items and invoices are read before their removal, and only the request contains them', async () => {
  await using school = await members([{ since: '2026-08-15T09:15:00Z' }], '2026-10-05T12:00:00Z')
  const [subscription = ''] = school.subscriptions
  const customer = (await school.us.subscriptions.retrieve(subscription)).customer as string
  const item = await school.us.invoiceItems.create({
    customer,
    amount: 700,
    currency: 'usd',
    description: 'Soap, for Ann',
  })
  const [invoice] = (await school.us.invoices.list({ customer, limit: 1 })).data
  const [line] = invoice?.lines.data ?? []
  const params = {
    items: [
      { description: itemNote('us', item.id) },
      { description: lineText('us', invoice?.id ?? '', line?.id ?? '') },
    ],
    lost: { description: itemNote('us', 'ii_gone'), amount: 1 },
  }
  expect(JSON.stringify(params)).not.toContain('Ann')
  expect(textsIn(params)).toHaveLength(3)
  const job = { key: `us/${subscription}`, plan: 'p', keys: {}, handover: { steps: [{ params }] } } as unknown as Job
  const context = school.stage('target')
  await readTexts(context, job)
  await school.us.invoiceItems.del(item.id)
  const texts = await readTexts(context, job)
  const live = { subscription: {} as never, customer: undefined, ...(texts === undefined ? {} : { texts }) }
  expect(withLiveValues(params, live)).toEqual({
    items: [{ description: 'Soap, for Ann' }, { description: line?.description }],
    lost: { amount: 1 },
  })
})
