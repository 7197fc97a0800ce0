import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, digest } from '../../src/core/canonical.ts'
import { indentedJson, linedJson, readLinedJson } from '../../src/core/json-text.ts'

/** JSON knows no negative zero. */
const value = fc.jsonValue({ maxDepth: 5 }).map((one): unknown => JSON.parse(JSON.stringify(one)))
const fields = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), value, { noNullPrototype: true })

async function* lines(text: string): AsyncGenerator<string> {
  yield* text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined)
}

test('a text in pieces equals the text in one', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect([...indentedJson(one)].join('')).toBe(JSON.stringify(one, null, 2))
    }),
  )
  expect([...indentedJson({ a: undefined, b: [{ c: ['x\ny'] }, undefined] })].join('')).toBe(
    JSON.stringify({ a: undefined, b: [{ c: ['x\ny'] }, undefined] }, null, 2),
  )
})

test('a digest covers the canonical text', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(digest(one)).toBe(createHash('sha256').update(canonicalJson(one)).digest('hex'))
    }),
  )
  const long = { b: Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'ä'.repeat(40) })), a: undefined }
  expect(digest(long)).toBe(createHash('sha256').update(canonicalJson(long)).digest('hex'))
})

test('text written line by line is JSON and is read again line by line', async () => {
  await fc.assert(
    fc.asyncProperty(fields, async (one) => {
      const text = [...linedJson(one)].join('')
      expect(JSON.parse(text)).toEqual(one)
      expect(await readLinedJson(lines(text))).toEqual(one)
    }),
  )
})

test('no field escapes the digest', async () => {
  const text = '{\n"__proto__": {"taxes":"as you like"}\n}\n'
  const read = await readLinedJson(lines(text))
  expect(digest(read)).toBe(digest(JSON.parse(text)))
  expect(read?.['taxes']).toBeUndefined()
})

test.each([
  ['laid out anew', JSON.stringify({ a: [1] }, null, 2)],
  ['cut off', '{\n"a": [\n1\n'],
  ['with something behind it', '{\n"a": 1\n}\n{}\n'],
  ['with a field twice', '{\n"a": 1,\n"a": 2\n}\n'],
  ['not JSON', '{\n"a": oops\n}\n'],
])('a text %s is not read as one written line by line', async (_, text) => {
  expect(await readLinedJson(lines(text))).toBeUndefined()
})
