import { Ajv2020 } from 'ajv/dist/2020.js'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRelay, relayBody } from '../../src/cancel/relay.ts'
import { instant } from '../../src/core/instant.ts'
import { root } from '../house/sources.ts'
import { hookSecret, runService, type Running } from './service.ts'

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly responses: Readonly<Record<string, unknown>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** The doors that the code opens on the public listener: `post /cancel`. */
function opened(): readonly string[] {
  const folder = join(root, 'src/server')
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && name !== 'admin.ts')
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const constants = new Map(
    texts.flatMap((text) =>
      [...text.matchAll(/^const (\w+) = '(\/[^']+)'$/gm)].map(([, name = '', at = '']) => [name, at]),
    ),
  )
  return texts
    .flatMap((text) =>
      [...text.matchAll(/\b(?:app|pages)\.(get|post)\(\s*(?:'([^']+)'|(\w+))/g)].map(
        ([, method = '', at, name = '']) => `${method} ${at ?? constants.get(name) ?? name}`,
      ),
    )
    .map((door) => door.replaceAll(/:(\w+)/g, '{$1}'))
    .toSorted()
}

describe('the OpenAPI document of the service', () => {
  let running: Running
  let document: Document
  beforeAll(async () => {
    running = await runService()
    document = (await (await fetch(`${running.service.adminUrl}/openapi.json`)).json()) as Document
  })
  afterAll(() => running.service.close())

  test('it names every door that the code opens, and no other', () => {
    const named = Object.entries(document.paths).flatMap(([at, methods]) =>
      Object.keys(methods).map((method) => `${method} ${at}`),
    )
    expect(named.toSorted()).toEqual(opened())
    expect(document.openapi).toBe('3.1.0')
    for (const [at, methods] of Object.entries(document.paths))
      for (const { parameters = [] } of Object.values(methods))
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
          at.match(/\{\w+\}/g) ?? [],
        )
  })

  test('every door answers with a status that it names', async () => {
    for (const [at, methods] of Object.entries(document.paths))
      for (const [method, { responses }] of Object.entries(methods)) {
        const filled = at.replace('{secret}', hookSecret).replace('{account}', 'target').replace('{token}', 'no-link')
        const init = { method: method.toUpperCase(), headers: { 'content-type': 'application/json' } }
        for (const body of method === 'get' ? [undefined] : ['{}', '{', 'x'.repeat(300_000)]) {
          const answer = await fetch(`${running.service.url}${filled}`, {
            ...init,
            ...(body === undefined ? {} : { body }),
          })
          await answer.text()
          // The pages of members take a form; the button is refused as JSON.
          const isForm = /^\/(?:cancel|card)\//.test(filled) && method === 'post'
          expect([at, method, [...Object.keys(responses), ...(isForm ? ['415'] : [])]]).toEqual([
            at,
            method,
            expect.arrayContaining([String(answer.status)]),
          ])
        }
      }
  })

  test('the schema of a relay’s body accepts what the reader accepts', () => {
    const matches = new Ajv2020({ strict: false }).compile(relayBody)
    const access = { offers: { membership: { kajabi: '1', prices: ['p'] } }, forms: {} }
    const bodies = [
      { offer: 'membership', contact: 5 },
      { offer: 'membership', contact: '5' },
      { offer: 'membership', customer: 'cus_1' },
      { offer: 'membership', subscriber: 'us/sub_1', contact: '5' },
      { offer: 'membership', contact: 'five' },
      { offer: 'membership', contact: 5.5 },
      { offer: 'Membership', contact: 5 },
      { offer: 'membership', email: 'a@example.com' },
      { offer: 'membership', subscriber: 'sub_1' },
      { contact: 5 },
      [],
    ]
    const read = bodies.map((body) => 'signal' in readRelay(body, 'm', access, instant(1)))
    expect(bodies.map((body) => matches(body))).toEqual(read)
    expect(read.filter(Boolean)).toHaveLength(4)
  })
})
