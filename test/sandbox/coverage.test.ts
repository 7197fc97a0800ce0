import { describe, expect, test } from 'vitest'
import { modules } from '../../src/sandbox/modules.ts'
import type { Route } from '../../src/sandbox/kernel/module.ts'
import type { Schema } from '../../src/sandbox/kernel/params.ts'
import { describeApi, type Placed } from '../conformance/description.ts'

const api = describeApi()
const routes = modules.flatMap((module) => module.routes ?? [])

const described = (route: Route) => api.find(route.method, route.path.replaceAll(/:\w+/g, 'x_1'))

test('every route of the sandbox is one of Stripe’s', () => {
  expect(routes.length).toBeGreaterThan(100)
  expect(
    routes.filter((route) => described(route) === undefined).map(({ method, path }) => `${method} ${path}`),
  ).toEqual([])
})

/**
 * The parts of a school's catalog, customers and doors: here the sandbox must understand all that
 * Stripe does.
 */
const whole = [
  'products',
  'prices',
  'coupons',
  'promotion_codes',
  'tax_rates',
  'webhook_endpoints',
  'customers',
  'events',
  'shipping_rates',
  'billing_portal/configurations',
  'billing/meters',
  'entitlements/features',
]

/**
 * Omitted on purpose: Connect, accounts as customers, test clocks (the sandbox has its own clock),
 * and what only bank accounts have.
 */
const leftOut = new Set([
  'account_holder_name',
  'account_holder_type',
  'customer_account',
  'feedback_options',
  'owner',
  'test_clock',
  'value_grouping_window',
])

describe.each(whole)('%s', (kind) => {
  const own = routes.filter((route) => route.path.startsWith(`/v1/${kind}`))

  test('has every route the SDK has', () => {
    const here = new Set(own.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, '{}')}`))
    const there = api.routes
      .filter(({ path }) => path.startsWith(`/v1/${kind}`))
      .map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`)
      // Money held for customers, bank checks and links of test data are not part of a billing
      // catalog.
      .filter((route) => !/cash_balance|funding_instructions|verify/.test(route))
    expect(there.filter((route) => !here.has(route))).toEqual([])
  })

  test('understands every parameter, to the last level', () => {
    const unknown = own.flatMap((route) => {
      const params = described(route)?.params
      return params === undefined ? [] : missing(route.params, params, `${route.method} ${route.path}`)
    })
    expect(unknown).toEqual([])
  })
})

/** The parameters that the SDK describes and a schema does not have, with their paths. */
function missing(schema: Schema<unknown>, params: Placed, at: string): string[] {
  const { inside } = schema
  const placed = api.resolve(params)
  const { shape } = placed
  const of = (part: typeof shape): Placed => ({ ...placed, shape: part })
  if (shape.is === 'union')
    // Of several forms of a parameter, the structured one is compared.
    return shape.of.flatMap((one) => {
      const { is } = api.resolve(of(one)).shape
      return is === 'object' || is === 'array' || is === 'map' ? missing(schema, of(one), at) : []
    })
  if (shape.is === 'array' || shape.is === 'map')
    return isSchema(inside) ? missing(inside, of(shape.of), `${at}[]`) : []
  if (shape.is !== 'object' || shape.open !== undefined) return []
  const known = isSchema(inside) ? undefined : inside
  const own = [...shape.fields].flatMap(([name, field]) => {
    if (name === 'expand' || leftOut.has(name)) return []
    const deeper = known?.[name]
    return deeper === undefined ? [`${at} ${name}`] : missing(deeper, of(field.shape), `${at} ${name}`)
  })
  return [...own, ...shape.extends.flatMap((base) => missing(schema, of(base), at))]
}

function isSchema(inside: Schema<unknown>['inside']): inside is Schema<unknown> {
  return inside !== undefined && typeof inside['parse'] === 'function'
}
