import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { keyPlace, readPlainYaml } from '../../src/catalog/plain-yaml.ts'

/** The result of the full reader; undefined when it finds an error in the text. */
function whole(text: string): { value: unknown } | undefined {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  return document.errors.length > 0 || document.warnings.length > 0 ? undefined : { value: document.toJS() as unknown }
}

const scraps = [
  'key',
  'a',
  'b',
  ':',
  ': ',
  ' ',
  '  ',
  '    ',
  '\n',
  '\n  ',
  '\n    ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  ',',
  '"',
  "'",
  '#',
  ' # c',
  '\\',
  '&x',
  '*x',
  '!t',
  '|',
  '>',
  '%',
  '---',
  '...',
  '\t',
  '\r\n',
  'true',
  'null',
  '~',
  'False',
  'yes',
  '12',
  '-3',
  '007',
  '0x1F',
  '1e3',
  '1.50',
  '.5',
  '-0',
  '+1',
  '2026-12-31T09:15:00Z',
  '2026-02-30',
  'price-a_b.c/d',
  '<<',
  '__proto__',
  'é',
  '🧴',
  '?',
  '@',
  '`',
  'a b',
  'x: y',
]
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, tie('scalar'), tie('scalar'), tie('list'), tie('map')),
  scalar: fc.constantFrom(
    'word',
    'two words',
    '12',
    '-7',
    '0',
    '1.25',
    'true',
    'false',
    '2026-12-31T09:15:00Z',
    'pm_1Old',
    '"quoted: [text]"',
    "'single # quote'",
    'a/b.yaml',
    'null',
    '~',
    '010',
    'on',
    '1e5',
    '50%',
    '@x',
    '(x)',
    'x:y',
    'a,b',
  ),
  list: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  map: fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'price', 'true', 'x-y'), tie('value')), { maxLength: 3 })
    .map((pairs) => `{ ${pairs.map(([key, value]) => `${key}: ${String(value)}`).join(', ')} }`),
}))
const lines = fc
  .array(
    fc.tuple(fc.nat({ max: 3 }), fc.constantFrom('a', 'b', 'c', 'items', 'x_1'), fc.option(tree.value, { freq: 3 })),
    { maxLength: 12 },
  )
  .map((entries) =>
    entries
      .map(([depth, key, value]) => `${'  '.repeat(depth)}${key}:${value === null ? '' : ` ${value as string}`}`)
      .join('\n'),
  )

describe('the plain reader and the full reader give the same result', () => {
  test.each([
    ['scraps of YAML', fc.array(fc.constantFrom(...scraps), { maxLength: 25 }).map((parts) => parts.join(''))],
    ['entries', lines],
  ] as const)('%s', (_name, texts) => {
    let read = 0
    fc.assert(
      fc.property(texts, (text) => {
        const plain = readPlainYaml(text)
        if (plain === undefined) return
        read += 1
        expect({ value: plain.value }).toEqual(whole(text))
      }),
      { numRuns: 8_000, seed: 7 },
    )
    expect(read).toBeGreaterThan(20)
  })

  test('a wave file that pull wrote is plain, and every subscriber has its position', () => {
    const text =
      '# One wave.\n\nstage: source\nsubscribers:\n  # a note\n  sub_1:\n    items: [ { price: a, quantity: 2 } ]\n    anchor: 2024-01-31T09:15:00Z\n  sub_2: { excluded: paid by hand }\n'
    const plain = readPlainYaml(text)
    expect(plain?.value).toEqual(whole(text)?.value)
    expect(plain?.places.get(keyPlace(['subscribers', 'sub_1']))).toEqual({ line: 6, column: 3 })
    expect(plain?.places.get(keyPlace(['subscribers', 'sub_2']))).toEqual({ line: 9, column: 3 })
  })

  test.each([
    'a: 1\na: 2\n',
    'a:\n  b: 1\n c: 2\n',
    'a: b\n  c\n',
    'a:\n',
    'a: *x\n',
    'a: "\\n"\n',
    '"a": 1\n',
    '- a\n',
    'a: [1, 2\n',
    'a: 1 # note\n',
    '',
  ])('%j is left to the full reader', (text) => {
    expect(readPlainYaml(text)).toBeUndefined()
  })
})
