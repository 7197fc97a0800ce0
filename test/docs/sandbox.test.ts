import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faultKinds } from '../../src/sandbox/faults.ts'
import { controlNames } from '../../src/sandbox/kernel/control.ts'
import { readings, switches, switchNames } from '../../src/sandbox/kernel/unsure.ts'
import { modules } from '../../src/sandbox/modules.ts'

const page = new URL('../../docs/sandbox.md', import.meta.url)
const begins = '<!-- generated: CROSSBILL_UPDATE_DOCS=1 writes it -->'

function worlds(): string {
  const rows = switchNames.map((name) => {
    const { asks, source, grade, row } = switches[name]
    const at = row === undefined || grade === 'settled' ? '' : `, [row ${row}](to-confirm.md)`
    return `| \`${name}\` | ${asks} | ${readings(name).join(', ')} | ${grade}${at}: ${source} |`
  })
  return ['| switch | question | readings | why |', '|---|---|---|---|', ...rows].join('\n')
}

function addresses(): string {
  const byResource = new Map<string, string[]>()
  for (const { method, path } of modules.flatMap((module) => module.routes ?? [])) {
    const resource = path.split('/').slice(0, 3).join('/')
    byResource.set(resource, [...(byResource.get(resource) ?? []), `${method} ${path.slice(resource.length) || '/'}`])
  }
  const rows = [...byResource].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return rows
    .map(([resource, actions]) => `- \`${resource}\`: ${actions.map((one) => `\`${one}\``).join(', ')}`)
    .join('\n')
}

const generated = `${begins}

${worlds()}

## Addresses

Parameters are closed: the sandbox refuses an unknown parameter as Stripe does (\`parameter_unknown\`). Lists, expansion, search, idempotency keys, metadata and errors follow Stripe. Kajabi's API is under \`/kajabi\`.

${addresses()}
`

test('docs/sandbox.md lists every switch and every route (CROSSBILL_UPDATE_DOCS=1 writes them)', () => {
  const [head = ''] = readFileSync(page, 'utf8').split(begins)
  if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(page, `${head}${generated}`)
  expect(readFileSync(page, 'utf8')).toBe(`${head}${generated}`)
})

test('docs/sandbox.md describes every control, act and fault', () => {
  const text = readFileSync(page, 'utf8')
  const acts = modules.flatMap((module) => Object.keys(module.acts ?? {}))
  const controls = [...controlNames, ...modules.flatMap((module) => Object.keys(module.control ?? {}))]
  const wanted = [...controls.map((name) => name.replace(' ', ' /_sandbox/')), ...acts, ...faultKinds]
  expect(wanted.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})
