import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crossbill } from './crossbill.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossbill-next-step-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('the next step that init prints works in the folder where init ran', async () => {
  const elsewhere = await crossbill(['init', '--sandbox', '--project', 'practice'], folder)
  expect(elsewhere.stderr).toContain('Next, run: crossbill pull --project practice\n')
  const here = await crossbill(['init', '--target', 'acct_1New', '--source', 'us=acct_1Us'], folder)
  expect(here.stderr).toMatch(/then run: crossbill doctor$/m)
})

test('a plan made from another folder is saved in the project, and the printed command applies it from there', async () => {
  const project = join(folder, 'a school')
  await crossbill(['init', '--sandbox', '--project', project], folder)
  writeFileSync(join(project, 'catalog', 'products.yaml'), 'products:\n  a: { name: Alpha }\n')
  const planned = await crossbill(['plan', '--project', 'a school', '--out', 'plans/x.plan.json'], folder)
  expect(planned.stderr).toContain(
    "Apply exactly this with: crossbill apply --project 'a school' 'a school/plans/x.plan.json'",
  )
  expect(existsSync(join(project, 'plans/x.plan.json'))).toBe(true)
  const pasted = ['apply', '--project', 'a school', 'a school/plans/x.plan.json']
  expect((await crossbill(pasted, folder)).code).toBe(0)
  // A path relative to the project is also found.
  expect((await crossbill(['show', '--project', 'a school', 'plans/x.plan.json'], folder)).stdout).toContain(
    'product.a',
  )
})
