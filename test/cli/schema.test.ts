import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { schemaNames, schemaOf } from '../../src/cli/schemas.ts'
import { root } from '../house/sources.ts'
import { crossbill } from './crossbill.ts'

const addFormats = addFormatsModule.default

describe('the JSON Schema of the YAML', () => {
  test.each(schemaNames)('of %s is a valid schema for other programs', (name) => {
    const ajv = new Ajv2020({ strict: false })
    addFormats(ajv)
    expect(() => ajv.compile(schemaOf(name))).not.toThrow()
  })

  test('accepts what validate accepts and finds what it finds', () => {
    const ajv = new Ajv2020({ strict: false })
    addFormats(ajv)
    const check = ajv.compile(schemaOf('resources'))
    const small = join(root, 'test/golden/projects/small/catalog/prices.yaml')
    const prices: unknown = parse(readFileSync(small, 'utf8'))
    expect(check(prices)).toBe(true)
    expect(check({ prices: { monthly: { product: 'x', curency: 'usd' } } })).toBe(false)
  })

  test('is printed for one kind of file, or for all', async () => {
    const one = await crossbill(['schema', 'project'], '.')
    expect(JSON.parse(one.stdout)).toEqual(schemaOf('project'))
    const all = await crossbill(['schema'], '.')
    expect(Object.keys(JSON.parse(all.stdout) as object)).toEqual(schemaNames)
    expect((await crossbill(['schema', 'projet'], '.')).code).toBe(1)
  })

  test.each(schemaNames)(
    'docs/schema contains the present schema of %s (crossbill schema --out docs/schema)',
    (name) => {
      const kept: unknown = JSON.parse(readFileSync(join(root, `docs/schema/${name}.schema.json`), 'utf8'))
      expect(kept).toEqual(schemaOf(name))
    },
  )
})
