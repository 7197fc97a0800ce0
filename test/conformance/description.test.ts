import { describe, expect, it } from 'vitest'
import { Checker, checkExchange } from './check.ts'
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
  it('has the pinned version and the routes that the product uses', () => {
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

  it('resolves every type that a route names', () => {
    for (const { params, answer: answered } of api.routes) {
      if (params !== undefined) api.resolve(params)
      api.resolve(answered)
    }
  })

  it('accepts the request that creates a carried subscription', () => {
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
    expect(check({ ...rate, display_name: null })[0]).toContain('.display_name should be a text, is null')
    const { active: _, ...without } = rate
    expect(check(without)).toEqual(['.active is missing'])
  })

  it('finds a seeded mistake of each class in an exchange', () => {
    const key = { 'idempotency-key': 'k' }
    const list = { object: 'list', data: [], has_more: false, url: '/v1/products' }
    const exchange = (about: {
      method?: string
      path?: string
      params?: Record<string, unknown>
      headers?: Record<string, string>
      status?: number
      answer: unknown
    }): string[] => {
      const { method = 'GET', path = '/v1/products', params = {}, headers = {}, status = 200, answer: body } = about
      const whole = { method, path, params, headers: new Headers(headers), status, answer: body }
      return checkExchange(api, { request, answer }, whole).map(({ where, problem }) => `${where} ${problem}`)
    }
    const refused = (error: object): { status: number; answer: unknown } => ({ status: 400, answer: { error } })
    const error = { type: 'invalid_request_error', message: 'no' }
    expect(exchange({ answer: list })).toEqual([])
    expect(exchange({ path: '/v1/frogs', answer: {} })).toEqual([
      'GET /v1/frogs is not a route of the SDK, yet it was answered',
    ])
    expect(exchange({ path: '/v1/frogs', status: 404, answer: {} })).toEqual([])
    expect(exchange({ params: { frog: '1' }, answer: list })).toEqual([
      'GET /v1/products ←.frog is not known to the SDK',
    ])
    // A refused request may have been wrong.
    expect(exchange({ params: { frog: '1' }, ...refused(error) })).toEqual([])
    expect(exchange({ answer: { ...list, has_more: undefined } })[0]).toContain('.has_more should be true or false')
    expect(exchange({ answer: { ...list, data: [{ object: 'product' }] } }).length).toBeGreaterThan(5)
    const deleted = { id: 'prod_1', object: 'product', deleted: true }
    const gone = { method: 'DELETE', path: '/v1/products/prod_1', answer: deleted }
    expect(exchange(gone)).toEqual([])
    expect(exchange({ ...gone, headers: key })[0]).toContain('carries an idempotency key, which only POST may')
    const post = { method: 'POST', ...refused(error) }
    expect(exchange({ ...post, headers: key })).toEqual([])
    expect(exchange(post)[0]).toContain('was sent without an idempotency key')
    expect(exchange({ ...post, headers: { 'idempotency-key': 'k'.repeat(256) } })[0]).toContain('over 255 characters')
    expect(exchange(refused({ ...error, hint: 'x' }))[0]).toContain('error.hint is no field of an error')
    expect(exchange(refused({ ...error, type: 'sorry' }))[0]).toContain('error.type is "sorry"')
    expect(exchange(refused({ type: error.type }))[0]).toContain('error.message is missing')
    expect(exchange({ status: 400, answer: {} })[0]).toContain('error is missing')
  })
})
