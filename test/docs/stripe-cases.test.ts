import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { cases } from '../conformance/cases.ts'

const docs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))

const lines = cases.map(
  ({ name, source, unsure }) =>
    `- ${name} (${source}${unsure === undefined ? '' : `; [to confirm](to-confirm.md), row ${unsure}`})`,
)

const text = `# What Crossbill relies on in Stripe

Each line is a case with its source. Every test run checks all cases against the embedded sandbox;
\`CROSSBILL_STRIPE_TEST_KEY=sk_test_… npm run confirm\` checks them against your test account. Where the documentation leaves a question open, the
case states what the sandbox does, and [to confirm](to-confirm.md) states which side Crossbill takes. This page is generated from the cases.

${lines.join('\n')}
`

it('docs/stripe-cases.md names every case with its source (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
  if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(docs('stripe-cases.md'), text)
  expect(readFileSync(docs('stripe-cases.md'), 'utf8')).toBe(text)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
})

it('docs/to-confirm.md has a row for every open case and says which rows the command confirms', () => {
  const page = readFileSync(docs('to-confirm.md'), 'utf8')
  const rows = [...new Set(cases.flatMap(({ unsure }) => unsure ?? []))].toSorted((a, b) => a - b)
  const [, said = ''] = /about rows ([\d, and]+), and about/.exec(page.replaceAll('\n', ' ')) ?? []
  expect(said.split(/\D+/).map(Number)).toEqual(rows)
  for (const row of rows) expect(page).toMatch(new RegExp(`^\\| ${row} \\|.*npm run confirm`, 'm'))
})
