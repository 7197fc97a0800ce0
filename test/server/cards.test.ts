import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signLink } from '../../src/cancel/link.ts'
import { signCardLink } from '../../src/cards/link.ts'
import { instant } from '../../src/core/instant.ts'
import { failed, success } from '../../src/core/outcome.ts'
import { linkSecret, now, runService, type Running } from './service.ts'

let running: Running
beforeEach(async () => {
  running = await runService({ school: { name: 'Formula School', contact: 'help@school.example' } })
})
afterEach(() => running.service.close())

const key = Buffer.from(linkSecret, 'base64')
const token = (expires = now + 600, signedWith = key): string =>
  signCardLink({ subscriber: 'us/sub_1', customer: 'cus_1', expires: instant(expires) }, signedWith)

const page = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${running.service.url}${path}`, init)
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}
const press = (link = token()) =>
  page(`/card/${link}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' })

const moved = (more: object = {}) =>
  success({
    state: 'live' as const,
    products: ['Formulation Membership'],
    endsAt: now,
    nextPayment: instant(now + 86_400),
    moved: true,
    ...more,
  })

describe("a member's card link", () => {
  test('says why, what changes and what stays, and opening it changes nothing', async () => {
    running.ending.value = moved({ nextAmount: { amount: 4900, currency: 'eur' } })
    const { status, text, headers } = await page(`/card/${token()}`)
    expect(status).toBe(200)
    expect(text).toContain('We need your card once more for Formulation Membership.')
    expect(text).toContain('Your next payment of €49.00, due on 16 January 2027, will be taken from this card.')
    expect(text).toContain('Nothing is charged today.')
    expect(text).toContain('We never see its number.')
    expect(text).toContain('Formula School')
    expect(text).toContain('<form method="post">')
    expect(text).not.toMatch(/<script|<input|us\/sub_1|cus_1/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(running.cards.opened).toEqual([])
  })

  test('does not promise the next payment to a member whom the old account still bills', async () => {
    running.ending.value = moved({ moved: false })
    const { text } = await page(`/card/${token()}`)
    expect(text).not.toContain('will be taken from this card')
    expect(text).toContain('You never pay twice.')
    running.cards.state = () => Promise.resolve(success({ state: 'entered' }))
    expect((await page(`/card/${token()}`)).text).toContain('as soon as we have switched your membership over')
  })

  test('leads to Stripe’s page when pressed, and returns to the same link', async () => {
    const { status, text } = await press()
    expect(status).toBe(200)
    expect(text).toContain('<meta http-equiv="refresh" content="0; url=https://checkout.stripe.com/c/pay/cs_1" />')
    expect(text).toContain('<a href="https://checkout.stripe.com/c/pay/cs_1">Continue to Stripe</a>')
    expect(running.cards.opened).toEqual([`us/sub_1 cus_1 ${token()}`])
  })

  test('shows that the card is saved, and offers no button any more', async () => {
    running.ending.value = moved()
    running.cards.state = () => Promise.resolve(success({ state: 'entered' }))
    running.cards.open = () => Promise.resolve(success({ state: 'entered' }))
    for (const { status, text } of [await page(`/card/${token()}`), await press()]) {
      expect([status, text.includes('Your card is saved'), text.includes('<form')]).toEqual([200, true, false])
    }
  })

  test.each([
    ['ended', 'This membership has ended.'],
    ['ending', 'Your membership ends on 15 January 2027'],
  ])('asks for no card when the membership is %s', async (state, words) => {
    running.ending.value = moved({ state })
    const { text } = await page(`/card/${token()}`)
    expect([text.includes(words), text.includes('<form')]).toEqual([true, false])
  })

  test('is refused when it is forged, expired or a cancel link, and tells nothing', async () => {
    const cancel = signLink({ subscriber: 'us/sub_1', offer: '', expires: instant(now + 600), id: 'a' }, key)
    for (const link of [token(now), token(now + 600, Buffer.alloc(32, 1)), cancel, 'x']) {
      expect((await page(`/card/${link}`)).status).toBe(404)
      expect((await press(link)).status).toBe(404)
    }
    // A card link cancels nothing.
    expect((await page(`/cancel/${token()}`, { method: 'POST' })).status).toBe(404)
    expect([running.cards.opened, running.signals]).toEqual([[], []])
  })

  test('fails closed when Stripe does not answer, and works when only the details are missing', async () => {
    running.ending.value = failed({ kind: 'unknown', code: 'no_answer', message: '', status: 0 })
    const plain = await page(`/card/${token()}`)
    expect([plain.status, plain.text.includes('for your membership.')]).toEqual([200, true])
    const down = () => Promise.resolve(failed({ kind: 'unknown', code: 'no_answer', message: 'no answer', status: 0 }))
    Object.assign(running.cards, { state: down, open: down })
    for (const { status, text } of [await page(`/card/${token()}`), await press()])
      expect([status, text.includes('Nothing was changed.'), text.includes('<form')]).toEqual([503, true, false])
    Object.assign(running.cards, { open: () => Promise.reject(new Error('secret us/sub_1')) })
    expect((await press()).status).toBe(503)
    expect(JSON.stringify(running.lines)).not.toMatch(/sub_1|cus_1/)
    Object.assign(running.cards, { state: () => Promise.resolve(success({ state: 'gone' })) })
    expect((await page(`/card/${token()}`)).status).toBe(410)
  })

  test('does not leave a member waiting while Stripe is slow', async () => {
    Object.assign(running.cards, { open: () => new Promise(() => {}) })
    expect((await press()).status).toBe(503)
  })

  test('takes few presses from one address, and no other body than a form', async () => {
    const answers = await Promise.all(Array.from({ length: 25 }, () => press()))
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5)
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect((await page(`/card/${token()}`, json)).status).not.toBe(200)
  })

  test('speaks German', async () => {
    running.ending.value = moved()
    const { text } = await page(`/card/${token()}`, { headers: { 'accept-language': 'de-CH' } })
    expect(text).toContain('Bitte geben Sie Ihre Karte noch einmal ein')
    expect(text).toContain('lang="de"')
  })

  test('is not there for a project without a public address', async () => {
    const other = await runService({ cards: false })
    expect((await fetch(`${other.service.url}/card/${token()}`)).status).toBe(404)
    await other.service.close()
  })
})
