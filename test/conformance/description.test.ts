import { describe, expect, it } from 'vitest'
import { Checker } from './check.ts'
import { describeApi, type Route } from './description.ts'
import { readForm } from './watched-fetch.ts'

const api = describeApi()
const request = new Checker(api, 'form')
const answer = new Checker(api, 'json')

function route(method: string, path: string): Route {
  const found = api.find(method, path)
  if (found === undefined) throw new Error(`no route ${method} ${path}`)
  return found
}

function sent(method: string, path: string, form: string): string[] {
  const { params } = route(method, path)
  if (params === undefined) throw new Error('no params')
  return request.check(readForm(form), params, '').map(({ where, problem }) => `${where} ${problem}`)
}

describe('the description derived from the installed SDK', () => {
  it('is of the pinned version and knows the routes the product uses', () => {
    expect(api.version).toBe('2026-10-28.endive')
    expect(api.routes.length).toBeGreaterThan(400)
    const used = [
      'GET /v1/account',
      'GET /v1/subscriptions',
      'POST /v1/subscriptions',
      'POST /v1/subscriptions/sub_1',
      'DELETE /v1/subscriptions/sub_1',
      'POST /v1/invoices/create_preview',
      'POST /v1/invoices/in_1/void',
      'POST /v1/prices',
      'POST /v1/tax_rates',
      'POST /v1/promotion_codes',
      'POST /v1/webhook_endpoints',
      'POST /v1/billing_portal/configurations',
      'POST /v1/entitlements/features',
      'POST /v1/billing/meters',
      'POST /v1/subscription_schedules/sub_sched_1/release',
    ]
    expect(used.filter((name) => api.find(...(name.split(' ') as [string, string])) === undefined)).toEqual([])
    expect(route('POST', '/v1/invoices/create_preview').path).toBe('/v1/invoices/create_preview')
  })

  it('resolves every type that any route names', () => {
    for (const { params, answer: answered } of api.routes) {
      if (params !== undefined) api.resolve(params)
      api.resolve(answered)
    }
  })

  it('accepts the recipe of a carried subscription', () => {
    const form =
      'customer=cus_1&items[0][price]=price_1&items[0][quantity]=2&billing_cycle_anchor=1798707600&proration_behavior=none&payment_behavior=default_incomplete&discounts[0][coupon]=c&default_tax_rates[0]=txr_1&metadata[crossbill_from]=us/sub_1&billing_mode[type]=classic&expand[]=latest_invoice&description='
    expect(sent('POST', '/v1/subscriptions', form)).toEqual([])
  })

  it('finds a seeded mistake of each class in a request', () => {
    expect(sent('POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=p&anchor=1')).toEqual([
      '.anchor is not known to the SDK',
    ])
    expect(sent('POST', '/v1/subscriptions', 'customer=cus_1&items[0][amount]=p')).toEqual([
      '.items[0].amount is not known to the SDK',
    ])
    expect(sent('POST', '/v1/subscriptions', 'customer=cus_1&billing_cycle_anchor=soon')[0]).toContain('a number')
    expect(sent('POST', '/v1/subscriptions', 'customer=cus_1&cancel_at_period_end=yes')[0]).toContain('true or false')
    expect(sent('POST', '/v1/subscriptions', 'customer=cus_1&proration_behavior=never')[0]).toContain('"none"')
    expect(sent('POST', '/v1/coupons/c', 'percent_off=10')).toEqual(['.percent_off is not known to the SDK'])
    expect(sent('POST', '/v1/tax_rates', 'display_name=VAT&percentage=19')).toEqual(['.inclusive is missing'])
  })

  it('finds a seeded mistake of each class in an answer', () => {
    const rate = {
      id: 'txr_1',
      object: 'tax_rate',
      active: true,
      country: 'DE',
      created: 1,
      description: null,
      display_name: 'VAT',
      effective_percentage: null,
      flat_amount: null,
      inclusive: false,
      jurisdiction: null,
      jurisdiction_level: null,
      livemode: false,
      metadata: {},
      percentage: 19,
      rate_type: null,
      state: null,
      tax_type: 'vat',
    }
    const check = (value: unknown): string[] =>
      answer
        .check(value, route('GET', '/v1/tax_rates/txr_1').answer, '')
        .map(({ where, problem }) => `${where} ${problem}`)
    expect(check(rate)).toEqual([])
    expect(check({ ...rate, rate: 19 })).toEqual(['.rate is not known to the SDK'])
    expect(check({ ...rate, percentage: '19' })[0]).toContain('.percentage should be a number')
    expect(check({ ...rate, tax_type: 'mwst' })[0]).toContain('.tax_type should be')
    expect(check({ ...rate, object: 'taxrate' })[0]).toContain('.object should be "tax_rate"')
    const { active: _, ...without } = rate
    expect(check(without)).toEqual(['.active is missing'])
  })
})
