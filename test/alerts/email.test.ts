import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { email, smtpServer } from '../../src/alerts/email.ts'
import { openAlerts } from '../../src/alerts/open.ts'
import { instant } from '../../src/core/instant.ts'
import type { Alert, LogLine } from '../../src/engine/inbox/context.ts'
import { smtpStandIn, type SmtpStandIn } from './smtp.ts'

const breaker: Alert = {
  key: 'breaker',
  severity: 'critical',
  summary: 'cancelling has stopped:\nmore than 50 — <b>Zürich</b>',
  fix: 'crossbill inbox resume',
}

let server: SmtpStandIn
beforeEach(async () => {
  server = await smtpStandIn()
})
afterEach(() => server.close())

function openMail(smtp: string, to = 'oncall@school.example') {
  const lines: LogLine[] = []
  const waits: number[] = []
  const alerts = openAlerts({
    project: 'school',
    channels: [email({ smtp, from: 'crossbill@school.example', to })],
    fetch: () => Promise.reject(new Error('a mail needs no HTTP')),
    clock: () => instant(1_800_000_000),
    wait: async (seconds) => void waits.push(seconds),
    log: (line) => void lines.push(line),
  })
  return { alerts, lines, waits }
}

/** The parts of a mail: decoded enough to be read. */
function read(mail = ''): { readonly head: string; readonly body: string } {
  const [head = '', ...rest] = mail.split('\n\n')
  const body = rest.join('\n\n')
  const decoded = /base64/i.test(head) ? Buffer.from(body, 'base64').toString() : unquoted(body)
  return { head: head.replaceAll(/\n[ \t]/g, ' '), body: decoded }
}

function unquoted(text: string): string {
  const bytes = text
    .replaceAll('=\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

describe('an alert by e-mail', () => {
  test('reaches every address, with the command that helps', async () => {
    const { alerts, lines } = openMail(`smtp://ada:se%40cret@127.0.0.1:${server.port}`, 'one@a.example, two@b.example')
    alerts.alert(breaker)
    await alerts.flush()
    expect(server.mails).toHaveLength(1)
    const { head, body } = read(server.mails[0])
    expect(head).toContain('From: crossbill@school.example')
    expect(head).toContain('To: one@a.example, two@b.example')
    expect(head).toContain('Auto-Submitted: auto-generated')
    expect(body.trimEnd()).toBe(
      'cancelling has stopped:\nmore than 50 — <b>Zürich</b>\n\nWhat to do: crossbill inbox resume\n\nschool, 2027-01-15T08:00:00Z, breaker',
    )
    expect(server.said.filter((line) => line.startsWith('RCPT'))).toEqual([
      expect.stringContaining('one@a.example'),
      expect.stringContaining('two@b.example'),
    ])
    expect(server.said).toContain(`AUTH PLAIN ${Buffer.from('\0ada\0se@cret').toString('base64')}`)
    expect(JSON.stringify(lines)).not.toMatch(/example|cret/)
  })

  test('is bundled as in the other channels: one mail for each cause, then a digest, then that it is over', async () => {
    const { alerts } = openMail(`smtp://127.0.0.1:${server.port}`)
    for (let n = 0; n < 40; n++)
      alerts.alert({ ...breaker, key: `dead sig_${n}`, group: 'dead nobody', summary: `cancel ${n} could not be done` })
    await alerts.flush()
    alerts.alert({ ...breaker, key: 'dead nobody', group: 'dead nobody', summary: 'none waits', resolved: true })
    await alerts.flush()
    expect(server.mails.map((mail) => /^Subject: (.*)$/m.exec(read(mail).head)?.[1])).toEqual([
      '[school] critical: cancel 0 could not be done',
      '[school] critical: 39 more, the last: cancel 39 could not be done',
      '[school] over: none waits',
    ])
  })

  test('is tried again while the server is away or busy, and not after a refusal', async () => {
    server.answers.push('451 try later', '250 fine')
    const busy = openMail(`smtp://127.0.0.1:${server.port}`)
    busy.alerts.alert(breaker)
    await busy.alerts.flush()
    expect([server.mails.length, busy.waits]).toEqual([1, [1]])

    server.answers.push('550 no such sender')
    const refused = openMail(`smtp://127.0.0.1:${server.port}`)
    refused.alerts.alert(breaker)
    await refused.alerts.flush()
    expect([server.mails.length, refused.waits]).toEqual([1, []])
    expect(refused.lines.map(({ event }) => event)).toEqual(['alert', 'alert_not_delivered'])

    const away = openMail('smtp://127.0.0.1:1')
    away.alerts.alert(breaker)
    await away.alerts.flush()
    expect(away.waits).toEqual([1, 5, 30, 120, 300])
  })

  test('sends no password and no mail to a server elsewhere that offers no TLS', async () => {
    // Another address of this machine, as a stand-in for another machine.
    const elsewhere = await smtpStandIn('127.0.0.2').catch(() => undefined)
    if (elsewhere === undefined) return
    const { alerts, lines } = openMail(`smtp://ada:secret@127.0.0.2:${elsewhere.port}`)
    alerts.alert(breaker)
    await alerts.flush()
    expect(elsewhere.mails).toEqual([])
    expect(elsewhere.said.join()).not.toMatch(/AUTH|MAIL/)
    expect(elsewhere.said).toContain('STARTTLS')
    expect(lines.map(({ event }) => event)).toContain('alert_not_delivered')
    await elsewhere.close()
  })
})

describe('the URL of a mail server', () => {
  test.each([
    ['smtps://u:p@mail.example', { port: 465, secure: true, requireTLS: false }],
    ['smtp://u:p@mail.example', { port: 587, secure: false, requireTLS: true }],
    ['smtp://mail.example:25', { port: 25, secure: false, requireTLS: true }],
    ['smtp://localhost:1025', { port: 1025, secure: false, requireTLS: false }],
    ['smtp://[::1]:1025', { host: '::1', secure: false, requireTLS: false }],
  ])('%s', (url, expected) => {
    expect(smtpServer(url)).toMatchObject(expected)
  })

  test.each([
    '',
    'mail.example',
    'https://mail.example',
    'smtp://u:secret@mail.example?ignoreTLS=true',
    'smtp://u:secret@h#x',
  ])('%s is refused without being quoted', (url) => {
    expect(() => smtpServer(url)).toThrow(expect.objectContaining({ code: 'smtp_url_wrong' }))
    expect(() => smtpServer(url)).not.toThrow(/secret@/)
  })
})
