import type { Transporter } from 'nodemailer'
import { CommandError } from '../core/outcome.ts'
import type { Channel } from './channels.ts'

/** Resolved secrets of `alerts.email`. */
export interface EmailSettings {
  /** `smtps://user:password@host:465`, or `smtp://user:password@host:587` for STARTTLS. */
  readonly smtp: string
  /** The sender's address. */
  readonly from: string
  /** One address, or several with commas between them. */
  readonly to: string
}

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte. */
  readonly secure: boolean
  /** Nothing is sent, no password either, before STARTTLS has succeeded. */
  readonly requireTLS: boolean
  readonly auth?: { readonly user: string; readonly pass: string }
}

/** A mail server on this machine may be reached without TLS. */
const thisMachine: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** Milliseconds that one step of the conversation may take. */
const patience = 10_000

/**
 * Reads the URL of a mail server. TLS is required unless the server is on this machine; nothing in
 * the URL can switch it off.
 * @throws CommandError `smtp_url_wrong`; the message does not quote the URL, which is a secret
 */
export function smtpServer(url: string): SmtpServer {
  const wrong = (why: string): CommandError =>
    new CommandError('smtp_url_wrong', `the secret alerts.email.smtp ${why}`, {
      notDone: 'the service was not started',
      fix: 'write smtps://user:password@host:465, or smtp://user:password@host:587 for STARTTLS',
    })
  const read = URL.parse(url.trim())
  if (read === null || !/^smtps?:$/.test(read.protocol) || read.hostname === '')
    throw wrong('is not the URL of a mail server')
  if (read.search !== '' || read.hash !== '') throw wrong('has options after the host, which are not supported')
  const secure = read.protocol === 'smtps:'
  const user = decodeURIComponent(read.username)
  return {
    host: read.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: read.port === '' ? (secure ? 465 : 587) : Number(read.port),
    secure,
    requireTLS: !secure && !thisMachine.has(read.hostname),
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(read.password) } }),
  }
}

/** A mail for each message, by SMTP. The library is loaded with the first one. */
export function email({ smtp, from, to }: EmailSettings): Channel {
  const server = smtpServer(smtp)
  let transport: Transporter | undefined
  return (alert, { project, at }) => {
    const state = alert.resolved === true ? 'over' : alert.severity
    const help = alert.resolved === true || alert.fix === '' ? [] : ['', `What to do: ${alert.fix}`]
    const mail = {
      from,
      to,
      // A header is one line.
      subject: `[${project}] ${state}: ${alert.summary}`.replaceAll(/\s+/g, ' ').slice(0, 200),
      text: [alert.summary, ...help, '', `${project}, ${at}, ${alert.group ?? alert.key}`, ''].join('\n'),
      // No automatic reply, https://www.rfc-editor.org/rfc/rfc3834#section-5
      headers: { 'Auto-Submitted': 'auto-generated' },
    }
    return async () => {
      try {
        transport ??= await connect(server)
        await transport.sendMail(mail)
        return { done: 'delivered', retryAfter: 0 }
      } catch (error) {
        return { done: isRefusal(error) ? 'refused' : 'later', retryAfter: 0 }
      }
    }
  }
}

async function connect(server: SmtpServer): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  return createTransport({
    ...server,
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    // A mail takes no content from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/**
 * A permanent answer of the server (5xx) to the mail itself. A refused login is tried again,
 * because the password may be rotating.
 */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || ('code' in error && error.code === 'EAUTH')) return false
  return 'responseCode' in error && Number(error.responseCode) >= 500
}
