import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandTable } from '../../src/cli/commands.ts'
import { root } from '../house/sources.ts'
import { commandReference } from './command-reference.ts'

test(
  'docs/commands.md is what the commands declare (CROSSBILL_UPDATE_DOCS=1 writes it)',
  { timeout: 30_000 },
  async () => {
    const path = join(root, 'docs/commands.md')
    const now = await commandReference(commandTable)
    if (['UPDATE_GOLDEN', 'CROSSBILL_UPDATE_DOCS'].some((name) => process.env[name] === '1')) writeFileSync(path, now)
    expect(readFileSync(path, 'utf8')).toBe(now)
  },
)
