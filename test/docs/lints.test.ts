import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lintNames, lints } from '../../src/catalog/lint-names.ts'
import { root } from '../house/sources.ts'

const entries = lintNames.map((name) => {
  const { severity, meaning, reason, refused } = lints[name] as (typeof lints)[typeof name] & { refused?: true }
  const left = refused === true ? ' While it is an error, the entry is left out of every plan.' : ''
  return `### ${name}\n\n${meaning}\n\n**Why.** ${reason}\n\n**Default.** ${severity}.${left}\n`
})

const text = `# Lints

Lints are opinions of \`crossbill validate\` beyond the schema and the rules: entries that are valid and that cost money, access or trust later. An error makes \`validate\` exit with \`1\`, a warning does not.
The lints of what Stripe refuses run in every command that reads the catalog; the others run in \`validate\` alone. The same mistake in several places is one finding with all its places. This page is generated from the program.

Change the severity for the project in \`catalog/project.yaml\`:

\`\`\`yaml
lint:
  coupon-forever-free: error
  currency-gap: off
\`\`\`

Switch a lint off for one entry by a comment on its line, on the line of the entry's key, or on the line above, with the reason:

\`\`\`yaml
coupons:
  staff: # lint-off: coupon-forever-free
    percent_off: 100
    duration: forever
\`\`\`

${entries.join('\n')}`

test('docs/lints.md says what each lint finds, and why (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
  const path = join(root, 'docs/lints.md')
  if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(path, text)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
