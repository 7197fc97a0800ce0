import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { pagerFor, showIn } from '../../src/cli/pager.ts'

const long = 'line\n'.repeat(30)

function pager(
  env: Record<string, string>,
  { text = long, tty = true, noPager = false }: { text?: string; tty?: boolean; noPager?: boolean } = {},
): string | undefined {
  const stdin = Object.assign(new PassThrough(), { isTTY: tty })
  return pagerFor(text, noPager, { env, stdin, stdout: { write: () => {}, isTTY: tty, rows: 24, columns: 80 } })
}

test('text that is longer than the screen goes to the pager that the user chose', () => {
  expect(pager({})).toBe('less -FRX')
  expect(pager({ PAGER: 'most' })).toBe('most')
  expect(pager({}, { text: 'x'.repeat(80 * 24) })).toBe('less -FRX')
  expect(pager({}, { text: `\u001B[31m${'x'.repeat(70)}\u001B[39m\n`.repeat(20) })).toBeUndefined()
})

test.each([
  ['--no-pager', {}, { noPager: true }],
  ['NO_PAGER', { NO_PAGER: '1' }, {}],
  ['CI', { CI: 'true' }, {}],
  ['an empty PAGER', { PAGER: '' }, {}],
  ['PAGER=cat', { PAGER: 'cat' }, {}],
  ['a dumb terminal', { TERM: 'dumb' }, {}],
  ['a pipe', {}, { tty: false }],
])('no pager: %s', (_what, env, how) => {
  expect(pager(env, how)).toBeUndefined()
})

test('a pager that is missing shows nothing, so the text is printed', () => {
  expect(showIn('no-such-pager-here 2>/dev/null', long, process.env)).toBe(false)
  expect(showIn('cat > /dev/null', long, process.env)).toBe(true)
})
