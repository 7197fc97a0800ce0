import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Signal } from '../../src/cancel/signal.ts'
import { instant, type Instant } from '../../src/core/instant.ts'
import type { InboxRow, InboxStore } from '../../src/engine/inbox/port.ts'
import { openStore, type OpenStore, type StoreOptions } from '../../src/store/open.ts'
import { onEveryEngine, type Place } from './engines.ts'

const at = instant(1_800_000_000)
const after = (seconds: number): Instant => instant(at + seconds)
const signal = (message: string): Signal => ({
  source: 'relay',
  event: 'cancel',
  offer: 'membership',
  contact: '5',
  receivedAt: at,
  message,
})

onEveryEngine('inbox', keepsSignals)

function keepsSignals(place: Place): void {
  let where: StoreOptions
  let store: OpenStore
  let inbox: InboxStore
  beforeEach(async () => {
    where = await place()
    store = await openStore(where)
    inbox = store.inbox
  })
  afterEach(() => store.close())
  const accept = (message: string, seconds = 0): ReturnType<InboxStore['accept']> =>
    inbox.accept({ keys: [message], signal: signal(message), at: after(seconds) })
  const ids = (rows: readonly InboxRow[]): string[] => rows.map(({ id }) => id)
  const saved = (id: string, holder: string, now: InboxRow['now'], release = true): Promise<boolean> =>
    inbox.save(id, holder, {
      now,
      facts: { tried: 1 },
      note: { at: after(1), state: now.state, text: 'a note' },
      release,
    })

  test('a signal is stored unchanged, and only once for all of its keys', async () => {
    const first = await inbox.accept({ keys: ['a', 'b'], signal: signal('one'), at })
    expect(first.duplicate).toBe(false)
    expect(await inbox.accept({ keys: ['c', 'b'], signal: signal('two'), at })).toEqual({
      id: first.id,
      duplicate: true,
    })
    expect((await inbox.accept({ keys: ['c'], signal: signal('three'), at })).duplicate).toBe(false)
    await store.close()
    store = await openStore(where)
    expect(await store.inbox.get(first.id)).toEqual({
      row: {
        id: first.id,
        signal: signal('one'),
        now: { state: 'received' },
        facts: {},
        acceptedAt: at,
        updatedAt: at,
      },
      notes: [{ at, state: 'received', text: 'accepted' }],
    })
    expect(await store.inbox.get('sig_nothing')).toBeUndefined()
    inbox = store.inbox
  })

  test('the same signal from many senders at once, even in two processes, is stored once', async () => {
    const second = await openStore(where)
    const messages = Array.from({ length: 300 }, (_, n) => `message ${n % 100}`)
    const accepted = await Promise.all(
      messages.map((message, n) =>
        (n % 2 === 0 ? inbox : second.inbox).accept({ keys: [message, `${message}'`], signal: signal(message), at }),
      ),
    )
    expect(accepted.filter(({ duplicate }) => !duplicate)).toHaveLength(100)
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(100)
    expect(await inbox.list({ limit: 1_000 })).toHaveLength(100)
    await second.close()
  })

  test('no signal is answered with "accepted" when the commit fails', async () => {
    const broken = await openStore(await place())
    await broken.close()
    await expect(broken.inbox.accept({ keys: ['x'], signal: signal('x'), at })).rejects.toThrow(/./)
  })

  test('rows are claimed oldest first, by one holder at a time, and again after a lease expires', async () => {
    const [a, b, c] = [await accept('a', 0), await accept('b', 1), await accept('c', 2)]
    expect(ids(await inbox.claim('one', after(1), after(31), { limit: 2, cancels: true, lane: 'old' }))).toEqual([
      a.id,
      b.id,
    ])
    expect(ids(await inbox.claim('two', after(5), after(35), { limit: 5, cancels: true, lane: 'old' }))).toEqual([c.id])
    expect(ids(await inbox.claim('three', after(30), after(60), { limit: 5, cancels: true, lane: 'old' }))).toEqual([])
    expect(ids(await inbox.claim('three', after(31), after(61), { limit: 1, cancels: true, lane: 'old' }))).toEqual([
      a.id,
    ])
    expect(await saved(a.id, 'one', { state: 'done' })).toBe(false)
    expect(await saved(a.id, 'three', { state: 'done' })).toBe(true)
    expect((await inbox.get(a.id))?.row).toMatchObject({ now: { state: 'done' }, facts: { tried: 1 } })
    expect((await inbox.get(a.id))?.notes.map(({ text }) => text)).toEqual(['accepted', 'a note'])
  })

  test('of many claims at once, each row has one winner', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, n) => accept(`m${n}`)))
    const others = [await openStore(where), await openStore(where)]
    const claims = await Promise.all(
      [inbox, ...others.map((one) => one.inbox)].flatMap((one, n) =>
        Array.from({ length: 4 }, (_, m) =>
          one.claim(`holder ${n} ${m}`, at, after(30), { limit: 10, cancels: true, lane: 'old' }),
        ),
      ),
    )
    const all = claims.flat().map(({ id }) => id)
    expect(new Set(all).size).toBe(all.length)
    expect(all).toHaveLength(60)
    for (const one of others) await one.close()
  })

  test('a retry is due at its time; a done, ignored or dead row is never due', async () => {
    const [a, b, c, d] = [await accept('a'), await accept('b'), await accept('c'), await accept('d')]
    await inbox.claim('one', at, after(30), { limit: 10, cancels: true, lane: 'old' })
    await saved(a.id, 'one', { state: 'retry', at: after(600), attempts: 1, reason: 'rate limit' })
    await saved(b.id, 'one', { state: 'done' })
    await saved(c.id, 'one', { state: 'ignored', reason: 'no offer' })
    await saved(d.id, 'one', { state: 'dead', reason: 'ambiguous' })
    expect(ids(await inbox.claim('two', after(599), after(630), { limit: 10, cancels: true, lane: 'old' }))).toEqual([])
    expect(ids(await inbox.claim('two', after(600), after(630), { limit: 10, cancels: true, lane: 'old' }))).toEqual([
      a.id,
    ])
    expect(await inbox.counts()).toEqual({
      states: { received: 0, verifying: 0, cancelling: 0, retry: 1, done: 1, ignored: 1, dead: 1 },
      oldestPending: at,
    })
    expect(await inbox.cancelsSince(at, after(630))).toEqual({ done: 1, inHand: 0 })
    expect(await inbox.cancelsSince(after(1), after(629))).toEqual({ done: 0, inHand: 1 })
    expect(ids(await inbox.list({ state: 'dead', limit: 10 }))).toEqual([d.id])
  })

  test('a worker with a lease saves in between; an unfinished row is found after the lease expires', async () => {
    const { id } = await accept('a')
    await inbox.claim('one', at, after(30), { limit: 1, cancels: true, lane: 'old' })
    expect(await saved(id, 'one', { state: 'cancelling' }, false)).toBe(true)
    expect(ids(await inbox.claim('two', after(29), after(59), { limit: 1, cancels: true, lane: 'old' }))).toEqual([])
    const [again] = await inbox.claim('two', after(30), after(60), { limit: 1, cancels: true, lane: 'old' })
    expect(again).toMatchObject({ id, now: { state: 'cancelling' }, facts: { tried: 1 } })
    expect(await saved(id, 'one', { state: 'done' })).toBe(false)
  })

  test('old signals that ended are removed with all about them; what waits or is dead stays', async () => {
    const states: InboxRow['now'][] = [
      { state: 'done' },
      { state: 'ignored', reason: 'asked_already' },
      { state: 'dead', reason: 'ambiguous' },
      { state: 'retry', at: after(9_999), attempts: 1, reason: 'timeout' },
      { state: 'done' },
    ]
    const all: string[] = []
    for (const [n, now] of states.entries()) {
      const { id } = await accept(`m${n}`)
      all.push(id)
      await inbox.claim('one', at, after(15), { limit: 9, cancels: true, lane: 'old' })
      await saved(id, 'one', now)
    }
    const address = `inbox.${all[0]}`
    const common = {
      run: 'r',
      step: 's',
      account: 'us',
      method: 'POST',
      path: '/v1/x',
      params: {},
      attempt: 1,
    } as const
    await store.journalStart({ ...common, address, idempotencyKey: 'k', startedAt: at })
    expect(await inbox.archive(after(1), 10)).toBe(0)
    expect(await inbox.archive(after(2), 2)).toBe(2)
    expect(await inbox.archive(after(2), 2)).toBe(1)
    const left = await Promise.all(all.map(async (id) => (await inbox.get(id))?.row.now.state))
    expect(left).toEqual([undefined, undefined, 'dead', 'retry', undefined])
    expect(await store.journal({ address })).toEqual([])
    expect(await inbox.byKey(['m0'])).toBeUndefined()
    // Its key is gone as well, so that the same key is a new signal.
    expect((await accept('m0')).duplicate).toBe(false)
  })

  test('signals without a cancel can be claimed separately', async () => {
    await accept('a')
    const entry = { source: 'source_account', event: 'hold_removed', subscriber: 'us/sub_1', receivedAt: at } as const
    const { id } = await inbox.accept({ keys: ['h'], signal: { ...entry, message: 'h' }, at })
    expect(ids(await inbox.claim('one', at, after(30), { limit: 10, cancels: false, lane: 'old' }))).toEqual([id])
    expect(await inbox.cancelsSince(at, at)).toEqual({ done: 0, inHand: 0 })
  })

  test('a clock that goes back by an hour blocks no waiting row, no retry and no row of a dead worker', async () => {
    const [a, b, c] = [await accept('a'), await accept('b'), await accept('c')]
    await inbox.claim('one', at, after(30), { limit: 2, cancels: true, lane: 'old' })
    await saved(b.id, 'one', { state: 'retry', at: after(20), attempts: 1, reason: 'rate limit' })
    const rows = await inbox.claim('two', after(-3_600), after(-3_570), { limit: 10, cancels: true, lane: 'old' })
    expect(ids(rows).toSorted()).toEqual([a.id, b.id, c.id].toSorted())
    expect(await inbox.claim('three', after(-3_599), after(-3_569), { limit: 10, cancels: true, lane: 'old' })).toEqual(
      [],
    )
  })

  test('an operator can change a row only while no worker holds it', async () => {
    const { id } = await accept('a')
    await inbox.claim('one', at, after(30), { limit: 1, cancels: true, lane: 'old' })
    const redrive = (seconds: number): Promise<boolean> =>
      inbox.change(id, {
        now: { state: 'received' },
        note: { at: after(seconds), state: 'received', text: 'redriven' },
      })
    expect(await redrive(5)).toBe(false)
    await saved(id, 'one', { state: 'dead', reason: 'ambiguous' })
    expect(await redrive(6)).toBe(true)
    expect(ids(await inbox.claim('two', after(6), after(36), { limit: 1, cancels: true, lane: 'old' }))).toEqual([id])
    expect(
      await inbox.change('sig_nothing', { now: { state: 'received' }, note: { at, state: 'received', text: '' } }),
    ).toBe(false)
  })

  test('an empty inbox has nothing to count', async () => {
    expect((await inbox.counts()).oldestPending).toBeUndefined()
    expect(await inbox.claim('one', at, after(30), { limit: 10, cancels: true, lane: 'old' })).toEqual([])
  })

  test('grants are kept by contact and offer, and found by contact and by customer', async () => {
    const grant = {
      contact: '5',
      offer: 'membership',
      customer: 'cus_1',
      subscribers: ['us/sub_1'],
      prices: ['monthly'],
      grantedAt: at,
      protectedUntil: after(0),
    }
    await inbox.putGrants([grant, { ...grant, offer: 'diploma' }, { ...grant, contact: '6', customer: 'cus_2' }])
    await inbox.putGrants([{ ...grant, subscribers: ['us/sub_1', 'intl/sub_2'], protectedUntil: after(60) }])
    expect(await inbox.grants({ contact: '5' })).toEqual([
      { ...grant, offer: 'diploma' },
      { ...grant, subscribers: ['us/sub_1', 'intl/sub_2'], protectedUntil: after(60) },
    ])
    expect(await inbox.grants({ customer: 'cus_2' })).toHaveLength(1)
    const found = async (subscriber: string) => (await inbox.grants({ subscriber })).map(nameOf)
    expect(await found('us/sub_1')).toEqual(['5 diploma', '5 membership', '6 membership'])
    expect(await found('intl/sub_2')).toEqual(['5 membership'])
    // An underscore is no pattern.
    expect(await found('us/subX1')).toEqual([])
    await inbox.putGrants([{ ...grant, subscribers: ['intl/sub_2', 'intl/sub_2'] }])
    await inbox.removeGrants([{ contact: '5', offer: 'diploma' }])
    expect(await found('us/sub_1')).toEqual(['6 membership'])
    expect(await found('intl/sub_2')).toEqual(['5 membership'])
    expect(await inbox.grants()).toHaveLength(2)
  })

  test('what members hold without a grant is recorded as a whole, and found by contact and customer', async () => {
    const one = { contact: '5', offer: 'membership', customer: 'cus_1', subscribers: ['us/sub_1'] }
    const many = Array.from({ length: 450 }, (_, n) => ({ ...one, contact: String(1_000 + n), customer: `cus_${n}` }))
    await inbox.setHoldings([...many, one])
    expect(await inbox.holdings()).toHaveLength(451)
    expect(await inbox.holdings({ contact: '5' })).toEqual([one])
    expect(await inbox.holdings({ customer: 'cus_7' })).toEqual([many[7]])
    await inbox.setHoldings([one])
    expect(await inbox.holdings()).toEqual([one])
    await inbox.setHoldings([])
    expect(await inbox.holdings()).toEqual([])
  })

  test('a row is found by any of its keys', async () => {
    const signal = { source: 'link', event: 'cancel', subscriber: 'us/sub_1', receivedAt: at, message: 'm' } as const
    const { id } = await inbox.accept({ keys: ['one', 'two'], signal, at })
    expect((await inbox.byKey(['two']))?.id).toBe(id)
    expect((await inbox.byKey(['three', 'one']))?.now).toEqual({ state: 'received' })
    expect(await inbox.byKey(['three'])).toBeUndefined()
  })

  test('signals accepted before a kill exist after it', async () => {
    const script = `
      const { openStore } = await import(${JSON.stringify(new URL('../../src/store/open.ts', import.meta.url).href)})
      const { inbox } = await openStore(${JSON.stringify(where)})
      const one = async (n) => {
        const { id } = await inbox.accept({ keys: [String(n)], signal: ${JSON.stringify(signal('x'))}, at: ${at} })
        process.stdout.write(id + '\\n')
      }
      for (let n = 0; ; n += 7) await Promise.all(Array.from({ length: 7 }, (_, m) => one(n + m)))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = once(child, 'exit')
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.split('\n').length > 50) child.kill('SIGKILL')
    }
    await gone
    const acknowledged = said.split('\n').slice(0, -1)
    expect(acknowledged.length).toBeGreaterThan(40)
    const stored = new Set(ids(await inbox.list({ limit: 100_000 })))
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
  })
}

function nameOf({ contact, offer }: { readonly contact: string; readonly offer: string }): string {
  return `${contact} ${offer}`
}
