import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { openStore } from '../../src/store/open.ts'

const at = instant(1_800_000_000)

/** The maximum size of a file, in kilobytes, in the process whose disk is full. */
const room = 2_000

test('a disk that fills up while signals are accepted loses no signal that was answered as stored, and continues when there is space', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-full-'))
  const file = join(folder, 'crossbill.db')
  await (await openStore({ file })).close()
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('../../src/store/open.ts', import.meta.url).href)})
    const { inbox } = await openStore({ file: ${JSON.stringify(file)} })
    const signal = { source: 'relay', event: 'cancel', offer: 'x'.repeat(500), receivedAt: ${at}, message: 'm' }
    let refused = 0
    for (let n = 0; refused < 20; n++)
      await inbox.accept({ keys: [String(n)], signal, at: ${at} }).then(
        ({ id }) => process.stdout.write(id + '\\n'),
        () => refused++,
      )`
  const limited = `ulimit -f ${room}; exec "$0" --input-type=module -e "$1"`
  const child = spawn('bash', ['-c', limited, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  let said = ''
  for await (const chunk of child.stdout) said += String(chunk)
  expect(await gone).toEqual([0, null])
  const acknowledged = said.split('\n').slice(0, -1)
  expect(acknowledged.length).toBeGreaterThan(20)

  const store = await openStore({ file })
  const stored = new Set((await store.inbox.list({ limit: 100_000 })).map(({ id }) => id))
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
  const signal = { source: 'relay', event: 'cancel', receivedAt: at, message: 'm' } as const
  expect(await store.inbox.accept({ keys: ['new'], signal, at })).toMatchObject({ duplicate: false })
  await store.close()
  rmSync(folder, { recursive: true })
})

test('a service moves the log into the database beside its commits, and its content is kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-log-'))
  const file = join(folder, 'crossbill.db')
  const store = await openStore({ file })
  await store.moveLogBeside()
  const empty = statSync(file).size
  for (let n = 0; n < 50; n++) await store.put(`name ${n}`, 'x'.repeat(2_000))
  // Far fewer pages than the limit at which a commit does it.
  await expect.poll(() => statSync(file).size, { timeout: 10_000 }).toBeGreaterThan(empty + 50_000)
  await store.close()
  const again = await openStore({ file })
  expect(await again.get('name 49')).toBe('x'.repeat(2_000))
  await again.close()
  rmSync(folder, { recursive: true })
})

test('a store that is deleted or replaced under a service is no longer written, and this is reported at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-gone-'))
  const file = join(folder, 'crossbill.db')
  const store = await openStore({ file })
  const signal = { source: 'relay', event: 'cancel', receivedAt: at, message: 'm' } as const
  await store.inbox.accept({ keys: ['one'], signal, at })
  store.inPlace()
  rmSync(file)
  expect(() => store.inPlace()).toThrow(/deleted or replaced/)
  await expect(store.inbox.accept({ keys: ['two'], signal, at })).rejects.toThrow(/deleted or replaced/)
  await expect(store.inbox.claim('one', at, at, { limit: 1, cancels: true, lane: 'old' })).rejects.toThrow(/replaced/)
  await (await openStore({ file })).close()
  expect(() => store.inPlace()).toThrow(/deleted or replaced/)
  await store.close()
  rmSync(folder, { recursive: true })
})
