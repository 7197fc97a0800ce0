import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { guardDefaults } from '../../src/catalog/guards.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { schemaNames, schemaOf } from '../../src/cli/schemas.ts'
import { gitignoreText } from '../../src/cli/wiring/project-files.ts'
import { projectYaml } from '../../src/cli/wiring/project-template.ts'
import { root } from '../house/sources.ts'
import { crossbill } from './crossbill.ts'
import { copyProject } from './project-world.ts'

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

  test.each(schemaNames)('every field of %s has a text for the editor', (name) => {
    const missing: string[] = []
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties } = node as { properties?: Record<string, { description?: string }> }
      for (const [field, schema] of Object.entries(properties ?? {}))
        if ((schema.description ?? '') === '') missing.push(`${path}.${field}`)
      for (const [key, inner] of Object.entries(node)) walk(inner, `${path}.${key}`)
    }
    walk(schemaOf(name), name)
    expect(missing).toEqual([])
  })
})

describe('the schema of a project', () => {
  let folder = ''
  beforeAll(() => {
    folder = copyProject('small')
    writeFileSync(join(folder, 'catalog/access.yaml'), 'offers: { diploma: { kajabi: "1", prices: [] } }\n')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const schemaFrom = async (...words: readonly string[]) => {
    const { code, stdout } = await crossbill(['schema', ...words], folder)
    expect(code).toBe(0)
    return JSON.parse(stdout) as { $defs?: Record<string, { enum: string[] }> }
  }

  test('completes references from the keys of its catalog', async () => {
    expect((await schemaFrom('resources', '--project')).$defs?.['products']?.enum).toEqual(['formulation-membership'])
    expect((await schemaFrom('access', '--project', '.')).$defs).toEqual({
      offers: { enum: ['diploma'] },
      prices: { enum: ['membership-monthly-usd'] },
    })
    expect((await schemaFrom('subscribers', '--keys')).$defs?.['prices']?.enum).toEqual(['membership-monthly-usd'])
    expect((await schemaFrom('subscribers')).$defs).toBeUndefined()
  })

  test('accepts a key that is not written yet, and refuses what is no key', async () => {
    const ajv = new Ajv2020({ strict: false })
    addFormats(ajv)
    const check = ajv.compile(await schemaFrom('resources', '--project'))
    const price = (product: unknown) => ({ prices: { a: { product, currency: 'usd', unit_amount: 1 } } })
    expect([check(price('formulation-membership')), check(price('later')), check(price('no key'))]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('is the general one in a folder without a catalog', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'crossbill-schema-'))
    const { code, stdout } = await crossbill(['schema', 'resources', '--project', empty], folder)
    expect({ code, schema: JSON.parse(stdout) as unknown }).toEqual({ code: 0, schema: schemaOf('resources') })
    rmSync(empty, { recursive: true })
  })
})

describe('a new project in an editor', () => {
  test(
    'every file of init and pull names a schema that is there, with the keys of the catalog',
    { timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'crossbill-editor-'))
      await crossbill(['init', '--sandbox', '--quiet'], folder)
      expect((await crossbill(['pull', '--quiet'], folder)).code).toBe(0)
      const written = readdirSync(join(folder, 'catalog'), { recursive: true, encoding: 'utf8' }).filter((one) =>
        one.endsWith('.yaml'),
      )
      expect(written.length).toBeGreaterThan(6)
      for (const path of written) {
        const file = join(folder, 'catalog', path)
        const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'none'
        expect({ path, there: existsSync(join(dirname(file), named)) }).toEqual({ path, there: true })
      }
      const resources = readFileSync(join(folder, '.schemas/resources.schema.json'), 'utf8')
      expect(
        (JSON.parse(resources) as { $defs: Record<string, { enum: string[] }> }).$defs['products']?.enum,
      ).toContain('formulation-membership')
      rmSync(folder, { recursive: true })
    },
  )

  test('the blocks that init comments are valid, and those with defaults change nothing', () => {
    const yaml = projectYaml({ name: 'school', accounts: { target: { sandbox: true } } })
    const open = yaml.replaceAll(/^# (?=[a-z_]+:$|  )/gm, '')
    expect(open.match(/^[a-z_]+:/gm)).toEqual([
      'project:',
      'accounts:',
      'store:',
      'policies:',
      'guards:',
      'lint:',
      'kajabi:',
      'serve:',
    ])
    const [plain, opened] = [yaml, open].map((text) => loadCatalog([{ path: 'project.yaml', text }]))
    expect(opened?.findings).toEqual([])
    expect(opened?.catalog?.project.policies).toEqual(plain?.catalog?.project.policies)
    for (const [name, limit] of Object.entries(opened?.catalog?.project.guards ?? {}))
      expect([name, limit]).toEqual([name, guardDefaults[name as keyof typeof guardDefaults]])
  })

  test('.gitignore keeps its lines and gets the missing ones once', () => {
    const once = gitignoreText('dist/\n.env\n')
    expect(once.startsWith('dist/\n.env\n')).toBe(true)
    expect(once.match(/^\.env$/gm)).toHaveLength(1)
    expect(once).toContain('state/*.db*')
    expect(gitignoreText(once)).toBe(once)
  })
})
