import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { readBreaker } from '../../src/cancel/breaker.ts'
import { choose, decideCancel, type Candidate } from '../../src/cancel/decide.ts'
import { readLink, signLink } from '../../src/cancel/link.ts'
import { retryDelay, retryDelaysSeconds } from '../../src/cancel/retry.ts'
import { signalKey, signalKeys, type Signal } from '../../src/cancel/signal.ts'
import { signWebhook, verifyWebhook, webhookKey } from '../../src/cancel/standard-webhooks.ts'

const now = instant(1_800_000_000)

describe('duplicates', () => {
  const tagged: Signal = {
    source: 'hook',
    event: 'tag_added',
    contact: '5',
    tag: '9',
    offer: 'membership',
    receivedAt: now,
    message: 'm',
  }
  it('the same tag on the same contact is one request, even across the edge of a window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 1_000_000 }), (later, start) => {
        const first = { ...tagged, receivedAt: instant(now + start) }
        const second = { ...tagged, receivedAt: instant(now + start + later) }
        expect(signalKeys(second)).toContain(signalKey(first))
      }),
    )
  })
  it('another contact, tag or offer is another request', () => {
    const keys = [tagged, { ...tagged, contact: '6' }, { ...tagged, tag: '8' }, { ...tagged, offer: 'diploma' }].map(
      signalKey,
    )
    expect(new Set(keys).size).toBe(4)
  })
  it('a numbered message is one message, however late it is repeated', () => {
    const relay: Signal = { ...tagged, source: 'relay', message: 'msg_1' }
    expect(signalKey({ ...relay, receivedAt: instant(now + 90_000) })).toBe(signalKey(relay))
  })
})

describe('signed requests', () => {
  const key = randomBytes(32)
  const sign = (at = now, body = '{"offer":"x"}', with_ = key) => ({
    id: 'msg_1',
    timestamp: String(at),
    signature: signWebhook('msg_1', at, body, with_),
  })
  it('are accepted with the current key, and during a rotation with the previous key', () => {
    expect(verifyWebhook(sign(), '{"offer":"x"}', [key], [now])).toEqual({ ok: true, id: 'msg_1' })
    expect(verifyWebhook(sign(), '{"offer":"x"}', [randomBytes(32), key], [now]).ok).toBe(true)
  })
  it.each([
    ['another body', sign(), '{"offer":"y"}', 'bad_signature'],
    ['another key', sign(now, '{"offer":"x"}', randomBytes(32)), '{"offer":"x"}', 'bad_signature'],
    ['an old time', sign(instant(now - 301)), '{"offer":"x"}', 'stale'],
    ['a time to come', sign(instant(now + 301)), '{"offer":"x"}', 'stale'],
    ['another id', { ...sign(), id: 'msg_2' }, '{"offer":"x"}', 'bad_signature'],
    ['no signature', { ...sign(), signature: undefined }, '{"offer":"x"}', 'unsigned'],
    ['an unknown version', { ...sign(), signature: 'v2,AAAA' }, '{"offer":"x"}', 'bad_signature'],
  ])('are refused with %s', (_, headers, body, reason) => {
    expect(verifyWebhook(headers, body, [key], [now])).toEqual({ ok: false, reason })
  })
  it('weak or malformed secrets are not accepted as secrets', () => {
    expect(webhookKey('whsec_')).toBeUndefined()
    expect(webhookKey(randomBytes(16).toString('base64'))).toBeUndefined()
    expect(webhookKey('not base64!')).toBeUndefined()
    expect(webhookKey(`whsec_${key.toString('base64')}`)).toEqual(key)
  })
})

describe('cancel links', () => {
  const key = randomBytes(32)
  const claims = { subscriber: 'us/sub_1', offer: 'membership', expires: instant(now + 60), id: 'l1' }
  it('contain what was signed, until they expire', () => {
    const token = signLink(claims, key)
    expect(readLink(token, [randomBytes(32), key], now)).toEqual({ ok: true, claims })
    expect(readLink(token, [key], instant(now + 60))).toEqual({ ok: false, reason: 'expired' })
  })
  it('are invalid after any change, and no input makes reading throw', () => {
    const token = signLink(claims, key)
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom('a', 'b', 'Z', '0', '9', '-', '_', '.'), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1)
        expect(changed === token || !readLink(changed, [key], now).ok).toBe(true)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => !readLink(text, [key], now).ok))
  })
})

describe('retries', () => {
  it('wait between one second and the step, never less than requested, and come to an end', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(5_000),
        (attempts, random, after) => {
          const delay = retryDelay(attempts, random, after)
          const step = retryDelaysSeconds[attempts]
          if (step === undefined) return delay === undefined
          return delay !== undefined && delay >= Math.max(1, after) && delay <= Math.max(step, after, 1)
        },
      ),
    )
  })
})

describe('the breaker', () => {
  it('opens at the limit within an hour and stays open until an operator closes it', () => {
    expect(readBreaker({ now, limitPerHour: 6, cancels: 5, opened: undefined })).toEqual({ open: false })
    expect(readBreaker({ now, limitPerHour: 5, cancels: 5, opened: undefined }).open).toBe(true)
    const opened = { reason: 'limit', since: now }
    expect(readBreaker({ now: instant(now + 86_400), limitPerHour: 5, cancels: 0, opened }).open).toBe(true)
  })
})

describe('which subscription a signal means: never the wrong one', () => {
  const one = (subscriber: string, offers: string[], rest: Partial<Candidate> = {}): Candidate => ({
    subscriber,
    offers,
    live: true,
    newerThanSignal: false,
    ...rest,
  })
  it.each<[string, Candidate[], string | undefined, object]>([
    ['nobody known', [], 'm', { choice: 'none', reason: 'nobody' }],
    [
      'no offer named, even with one candidate',
      [one('us/a', ['m'])],
      undefined,
      { choice: 'none', reason: 'no_offer_named' },
    ],
    [
      'another offer, even with one candidate',
      [one('us/a', ['plan'])],
      'm',
      { choice: 'none', reason: 'no_match_for_offer' },
    ],
    [
      'the one that gives the offer',
      [one('us/a', ['m']), one('us/b', ['d'])],
      'm',
      { choice: 'one', subscriber: 'us/a' },
    ],
    [
      'two that give it',
      [one('us/a', ['m']), one('intl/b', ['m'])],
      'm',
      { choice: 'ambiguous', subscribers: ['us/a', 'intl/b'] },
    ],
    [
      'the live one of two',
      [one('us/a', ['m'], { live: false }), one('intl/b', ['m'])],
      'm',
      { choice: 'one', subscriber: 'intl/b' },
    ],
    [
      'made after the signal',
      [one('us/a', ['m'], { newerThanSignal: true })],
      'm',
      { choice: 'none', reason: 'no_match_for_offer' },
    ],
    ['ended already', [one('us/a', ['m'], { live: false })], 'm', { choice: 'none', reason: 'already_ended' }],
  ])('%s', (_, candidates, offer, expected) => {
    expect(choose(candidates, offer)).toEqual(expected)
  })
})

describe('what a verified signal does, depending on what both accounts hold', () => {
  const live = { id: 'sub_new', live: true }
  const ended = { id: 'sub_new', live: false }
  it.each<[Parameters<typeof decideCancel>[0], object]>([
    [
      { old: 'live', successors: undefined },
      { do: 'wait', reason: 'target_unreadable' },
    ],
    [
      { old: 'cancelled', successors: undefined },
      { do: 'wait', reason: 'target_unreadable' },
    ],
    [
      { old: 'live', successors: [] },
      { do: 'cancel', new: [], old: true },
    ],
    [
      { old: 'live', successors: [ended] },
      { do: 'cancel', new: [], old: true },
    ],
    [
      { old: 'live', successors: [live] },
      { do: 'cancel', new: ['sub_new'], old: true },
    ],
    [
      { old: 'cancelled_by_us', successors: [live] },
      { do: 'cancel', new: ['sub_new'], old: false },
    ],
    [
      { old: 'cancelled', successors: [live] },
      { do: 'cancel', new: ['sub_new'], old: false },
    ],
    [
      { old: 'cancelled', successors: [] },
      { do: 'nothing', reason: 'already_cancelled' },
    ],
    [
      { old: 'cancelled_by_us', successors: [ended] },
      { do: 'nothing', reason: 'already_cancelled' },
    ],
    [
      { old: 'missing', successors: [live] },
      { do: 'cancel', new: ['sub_new'], old: false },
    ],
    [
      { old: 'missing', successors: [ended] },
      { do: 'nothing', reason: 'already_cancelled' },
    ],
    [
      { old: 'missing', successors: [] },
      { do: 'ask', reason: 'subscription_missing' },
    ],
  ])('%j → %j', (sides, expected) => {
    expect(decideCancel(sides)).toEqual(expected)
  })
})
