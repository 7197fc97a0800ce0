import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { explainSchema } from '../../src/engine/explain/document.ts'
import { root } from '../house/sources.ts'

/** Results of commands whose JSON other programs read. */
const results = { explain: explainSchema }

describe('docs/schema: the JSON of commands', () => {
  test.each(Object.entries(results))('of %s (CROSSBILL_UPDATE_DOCS=1 writes it)', (name, schema) => {
    const path = join(root, `docs/schema/${name}.schema.json`)
    const whole = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: `Crossbill: ${name} --format json`,
      ...(JSON.parse(JSON.stringify(schema)) as object),
    }
    const written = (): object => JSON.parse(readFileSync(path, 'utf8')) as object
    // The formatter of the repository has its own layout, so an equal document stays as it is.
    if (process.env['CROSSBILL_UPDATE_DOCS'] === '1' && !isDeepStrictEqual(written(), whole))
      writeFileSync(path, `${JSON.stringify(whole, null, 2)}\n`)
    expect(written()).toEqual(whole)
    expect(() => new Ajv2020({ strict: false }).compile(whole)).not.toThrow()
  })
})
