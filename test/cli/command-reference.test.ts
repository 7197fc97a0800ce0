import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandTable } from '../../src/cli/commands.ts'
import { root } from '../house/sources.ts'
import { commandReference } from './command-reference.ts'

test('docs/commands.md is what the commands declare (UPDATE_GOLDEN=1 writes it)', { timeout: 30_000 }, async () => {
  const path = join(root, 'docs/commands.md')
  const now = await commandReference(commandTable)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, now)
  expect(readFileSync(path, 'utf8')).toBe(now)
})
