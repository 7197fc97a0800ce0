import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { question, rows } from '../../src/assumptions/questions.ts'
import type { Case, Grade } from '../../src/confirm/case.ts'
import { cases } from '../../src/confirm/cases.ts'
import { keyPermissions } from '../../src/confirm/permissions.ts'

const docs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
const count = (grade: Grade): number => cases.filter((one) => one.grade === grade).length

const line = (one: Case): string =>
  `- ${one.name} (${one.source}${one.grade === 'assumed' ? `; [to confirm](to-confirm.md), row ${one.row}` : ''})`

const section = (heading: string, grade: Grade, about: string): string =>
  `## ${heading} (${count(grade)})\n\n${about}\n\n${cases
    .filter((one) => one.grade === grade)
    .map(line)
    .join('\n')}\n`

const stripeCases = `# What Crossbill relies on in Stripe

Each line is a case with its source. Every test run checks all cases against the embedded sandbox; \`crossbill confirm\` checks them against
your test account. The ${cases.length} cases have three grades. This page is generated from the cases.

${section('Measured', 'measured', 'A public project measured these on real Stripe; the source names it.')}
${section('Documented', 'documented', 'Stripe’s documentation or its SDK says these; the source names the page or the type.')}
${section('Assumed', 'assumed', 'The documents leave these open. The case states what the sandbox does by default, and [to confirm](to-confirm.md) states which side Crossbill takes. Crossbill is tested with every answer ([possible worlds](sandbox.md#possible-worlds)).')}`

const confirms = rows.filter((row) => question(row).readings !== undefined)

function how(row: (typeof rows)[number]): string {
  const { byHand, onlyIf } = question(row)
  return byHand ?? `\`crossbill confirm\`${onlyIf === undefined ? '' : `, ${onlyIf}`}`
}

const toConfirm = `# To confirm in your account

The documentation of Stripe and Kajabi does not answer these questions; most of them are switches of [the simulated Stripe](sandbox.md#possible-worlds). In each case Crossbill takes the cautious side. This list says which side, and how to
confirm it. No question must be answered before a first wave of a few people, whose first renewals \`crossbill verify\` watches. This page is generated from \`src/assumptions/questions.ts\`.

\`CROSSBILL_STRIPE_TEST_KEY=rk_test_… crossbill confirm\` asks your test account about rows ${confirms.join(', ')}, and about
[the documented behaviour](stripe-cases.md). Cases that need time use test clocks, several side by side; the command takes about fifteen minutes. It removes or archives what it created and refuses live keys. It
writes the answers, with date, account and API version, to \`state/confirmed.json\`. Commit that file: \`doctor\`, \`plan\` and \`report\` read it. An answer other than the assumed one is shown with what it means for the subscribers of
the project (\`stripe_differs\`), and questions that nobody asked are listed as such.

A restricted key of the test account is enough. It needs write access to ${keyPermissions
  .map(([name]) => name)
  .filter((name) => !name.includes('(read)'))
  .join(', ')}, and read access to ${keyPermissions
  .map(([name]) => name)
  .filter((name) => name.includes('(read)'))
  .map((name) => name.replace(' (read)', ''))
  .join(', ')}.

| # | what is not certain | the side Crossbill takes | how to confirm |
|---|---|---|---|
${rows.map((row) => `| ${row} | ${question(row).asks} | ${question(row).side} | ${how(row)} |`).join('\n')}
`

const update = process.env['CROSSBILL_UPDATE_DOCS'] === '1'

it.each([
  ['stripe-cases.md', stripeCases],
  ['to-confirm.md', toConfirm],
])('docs/%s is what the code declares (CROSSBILL_UPDATE_DOCS=1 writes it)', (name, text) => {
  if (update) writeFileSync(docs(name), text)
  expect(readFileSync(docs(name), 'utf8')).toBe(text)
})

describe('a case', () => {
  it('has a name of its own', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })

  it('measured on real Stripe names the project that measured it', () => {
    const names = /https:\/\/github\.com\/[\w-]+\/[\w-]+|TryGhost\/migrate/
    expect(cases.filter(({ grade, source }) => grade === 'measured' && !names.test(source))).toEqual([])
  })

  it('documented by Stripe names a page or a type of the SDK', () => {
    const names = /https:\/\/docs\.stripe\.com\/|the SDK’s /
    expect(cases.filter(({ grade, source }) => grade === 'documented' && !names.test(source))).toEqual([])
  })
})
