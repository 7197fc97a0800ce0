import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KindName } from '../../src/kinds/kind.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { sourceKinds } from '../../src/pull/entries.ts'

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
const lines = page.split('\n')
const lineWith = (start: RegExp): string => lines.find((line) => start.test(line))?.toLowerCase() ?? ''

/** The words of docs/security.md for the permission that reads a kind. */
const words: Readonly<Record<KindName, string>> = {
  product: 'products',
  price: 'prices',
  tax_rate: 'tax rates',
  coupon: 'coupons',
  promotion_code: 'promotion codes',
  feature: 'features',
  meter: 'meters',
  shipping_rate: 'shipping rates',
  portal_configuration: 'portal configurations',
  webhook_endpoint: 'webhook endpoints',
  payment_link: 'payment links',
  payment_method_configuration: 'payment method configurations',
  payment_method_domain: 'domains',
  tax_registration: 'tax registrations',
  tax_settings: 'tax settings',
  event_destination: 'event destinations',
}

describe('docs/security.md names the permissions of a key', () => {
  test.each(kinds.map((kind) => [kind.name, kind.readWhen] as const))('for the target: %s', (name, readWhen) => {
    const where = readWhen === 'named' ? /are read only when the catalog declares/ : /^\| target \|/
    expect(lineWith(where)).toContain(words[name])
  })

  test.each(sourceKinds.map((kind) => kind.name))('for the sources, which pull reads: %s', (name) => {
    expect(lineWith(/^\| sources \|/)).toContain(words[name])
  })
})
