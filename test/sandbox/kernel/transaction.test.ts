import { describe, expect, test, vi } from 'vitest'
import { present } from '../../../src/core/assert.ts'
import { formatInstant, instant } from '../../../src/core/instant.ts'
import { declined, invalid } from '../../../src/sandbox/kernel/errors.ts'
import { route, type Module } from '../../../src/sandbox/kernel/module.ts'
import { fields, oneOf, required } from '../../../src/sandbox/kernel/params.ts'
import { Router } from '../../../src/sandbox/kernel/router.ts'
import type { Change, Row, TableDefinition } from '../../../src/sandbox/kernel/tables.ts'
import { World } from '../../../src/sandbox/kernel/world.ts'

interface Note extends Row {
  readonly text: string
}
const notes: TableDefinition<Note> = { name: 'notes' }

/**
 * A world with one resource: the request writes a note, sets an alarm, and ends as its parameters
 * say.
 */
function noteWorld(storage?: ConstructorParameters<typeof World>[0]['storage']) {
  const heard: string[] = []
  const module: Module = {
    routes: [
      route('POST', '/v1/notes', {
        permission: 'notes',
        params: fields({ end: required(oneOf('well', 'refused', 'declined', 'broken')) }),
        handle(context, { end }) {
          const row = context.table(notes).put({ id: context.newId('note'), created: context.now, text: end })
          context.schedule(instant(context.now + 60), 'note.alarm', row.id)
          if (end === 'refused') throw invalid('No.')
          if (end === 'declined') throw declined('Declined.', { code: 'card_declined' })
          if (end === 'broken') throw new TypeError('a mistake')
          return { id: row.id, object: 'note' }
        },
      }),
    ],
    due: {
      'note.alarm': {
        rank: 100,
        run: (context, id) => void heard.push(`${id.slice(0, 4)} ${formatInstant(context.now).slice(11, 19)}`),
      },
    },
  }
  const settings = {
    country: 'US',
    default_currency: 'usd',
    name: 'T',
    dunning: { retry_days: [], finally: 'cancel' as const },
    draft_seconds: 0,
    tax_registrations: [],
  }
  const world = new World({
    clock: instant(1_796_126_400),
    seed: 1,
    livemode: false,
    accounts: [{ name: 'us', settings }],
    modules: [module],
    ...(storage === undefined ? {} : { storage }),
  })
  const router = new Router(world)
  const post = (end: string, key?: string, delay?: () => Promise<void>) =>
    router.answer(
      {
        method: 'POST',
        url: new URL('http://sandbox/v1/notes'),
        headers: new Headers({
          authorization: 'Bearer sk_test_sandbox_us',
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        }),
        body: `end=${end}`,
      },
      delay,
    )
  const texts = () => Array.from(world.account('us').table(notes).all(), ({ text }) => text)
  return { world, post, texts, heard }
}

describe('a request is one transaction', () => {
  test('a refusal undoes its rows and due work; a decline keeps them', async () => {
    const { world, post, texts, heard } = noteWorld()
    expect((await post('refused')).status).toBe(400)
    expect([texts(), world.queue.table.size]).toEqual([[], 0])
    expect((await post('declined')).status).toBe(402)
    expect((await post('well')).status).toBe(200)
    expect(texts()).toEqual(['declined', 'well'])
    await world.advance(instant(world.now + 3_600))
    expect(heard).toEqual(['note 12:01:00', 'note 12:01:00'])
  })

  test('a fault of the sandbox is undone as well, and never looks like an answer of Stripe', async () => {
    const { post, texts } = noteWorld()
    await expect(post('broken')).rejects.toThrow('a mistake')
    expect(texts()).toEqual([])
  })

  test('the answer under an idempotency key is saved together with the writes that it reports', async () => {
    const saves: Change[][] = []
    const { post } = noteWorld({ load: () => [], save: (changes) => void saves.push([...changes]) })
    saves.length = 0
    await post('declined', 'k1')
    await post('well', 'k2')
    const tables = saves.map((changes) =>
      changes.map(({ table }) => table).filter((table) => /notes|idempotency/.test(table)),
    )
    expect(tables).toEqual([
      ['us/notes', 'us/idempotency'],
      ['us/notes', 'us/idempotency'],
    ])
  })

  test('a refusal is replayed under its key, and nothing is executed twice', async () => {
    const { post, texts } = noteWorld()
    const [first, again] = [await post('declined', 'k'), await post('declined', 'k')]
    expect(again.body).toBe(first.body)
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect(texts()).toEqual(['declined'])
  })

  test('a key is in use while its request is in progress', async () => {
    const { post, texts } = noteWorld()
    let go: () => void = () => {}
    const slow = post('well', 'k', () => new Promise((resolve) => (go = resolve)))
    const meanwhile = await post('well', 'k')
    expect([meanwhile.status, JSON.parse(meanwhile.body)]).toMatchObject([
      409,
      { error: { code: 'idempotency_key_in_use' } },
    ])
    go()
    expect((await slow).status).toBe(200)
    expect((await post('well', 'k')).headers['idempotent-replayed']).toBe('true')
    expect(texts()).toEqual(['well'])
  })
})

test('writes that the storage refused are undone', async () => {
  let full = false
  const { post, texts } = noteWorld({
    load: () => [],
    save() {
      if (full) throw new Error('disk full')
    },
  })
  await post('well')
  full = true
  await expect(post('declined')).rejects.toThrow('disk full')
  full = false
  expect(texts()).toEqual(['well'])
})

describe('the clock', () => {
  test('plays each piece of work at its own instant and ends at the requested instant', async () => {
    const { world, post, heard } = noteWorld()
    await post('well')
    await world.advance(instant(world.now + 30))
    await post('well')
    await world.advance(instant(world.now + 30))
    expect(heard).toEqual(['note 12:01:00'])
    await world.advance(instant(world.now + 3_000))
    expect([heard.at(-1), formatInstant(world.now)]).toEqual(['note 12:01:30', '2026-12-01T12:51:00Z'])
    await expect(world.advance(instant(world.now - 1))).rejects.toThrow('only goes forward')
  })

  test('work scheduled before a restart is done after it', async () => {
    const rows = new Map<string, { table: string; key: string; value: string }>()
    const storage = {
      load: () => rows.values(),
      save: (changes: readonly Change[]) => {
        for (const { table, key, value } of changes) {
          if (value === null) rows.delete(`${table} ${key}`)
          else rows.set(`${table} ${key}`, { table, key, value })
        }
      },
    }
    const first = noteWorld(storage)
    await first.post('well')
    await first.world.advance(instant(first.world.now + 30))
    const second = noteWorld(storage)
    expect(second.world.now).toBe(first.world.now)
    await second.world.advance(instant(second.world.now + 30))
    expect([first.heard, second.heard]).toEqual([[], ['note 12:01:00']])
  })

  test('a fault in due work leaves the world unchanged and the work due', async () => {
    const { world, post, heard } = noteWorld()
    await post('well')
    const alarm = present(world.modules[0]?.due?.['note.alarm'], 'the alarm')
    const run = vi.spyOn(alarm, 'run').mockImplementationOnce((context) => {
      context.newId('note')
      throw new TypeError('a mistake')
    })
    const before = world.now
    await expect(world.advance(instant(before + 3_600))).rejects.toThrow('a mistake')
    expect(world.now).toBe(before)
    await world.advance(instant(before + 3_600))
    expect([run.mock.calls.length, heard]).toEqual([2, ['note 12:01:00']])
  })

  test('a copy is independent', async () => {
    const { world, post, heard } = noteWorld()
    await post('well')
    const copy = world.copy()
    await copy.advance(instant(copy.now + 60))
    expect([heard.length, copy.queue.table.size, world.queue.table.size]).toEqual([1, 0, 1])
    expect(copy.account('us').newId('note')).toBe(world.account('us').newId('note'))
  })
})
