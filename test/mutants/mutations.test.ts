import { expect, test } from 'vitest'
import { mutationsOf } from './mutations.ts'

function mutants(source: string): readonly string[] {
  return mutationsOf('a.ts', source).map(({ start, end, text }) => source.slice(0, start) + text + source.slice(end))
}

test('a condition is inverted, halved, and made always true or always false', () => {
  expect(mutants('if (a && b) c = 1')).toEqual(
    expect.arrayContaining([
      'if (a || b) c = 1',
      'if ((a)) c = 1',
      'if ((b)) c = 1',
      'if (false) c = 1',
      'if (true) c = 1',
      'if (a && b) c = 2',
    ]),
  )
})

test('boundaries move by one, comparisons are inverted', () => {
  expect(mutants('x = a < 5')).toEqual(['x = a <= 5', 'x = a < 6'])
  expect(mutants('x = a === b')).toEqual(['x = a !== b'])
})

test('steps, filters and negations are omitted; some becomes every', () => {
  expect(mutants('await hold(x)')).toEqual([';'])
  expect(mutants('x = list.filter(isOpen)')).toEqual(['x = list'])
  expect(mutants('x = !a')).toEqual(['x = (a)'])
  expect(mutants('x = list.some(f)')).toEqual(['x = list.every(f)'])
  expect(mutants('x = a ?? b')).toEqual(['x = (a)'])
  expect(mutants('x = a ? b : c')).toEqual(['x = (b)', 'x = (c)'])
})

test('texts and types are not changed', () => {
  expect(mutants("const x: 0 | true = f('a' + b)")).toEqual([])
})
