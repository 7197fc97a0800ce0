import { createServer, type AddressInfo, type Socket } from 'node:net'

/**
 * A mail server that keeps what it receives: enough of RFC 5321 and of AUTH PLAIN for one client.
 */
export interface SmtpStandIn {
  readonly port: number
  /** The text of each accepted mail, headers first. */
  readonly mails: string[]
  /** Every line that a client sent outside a mail. */
  readonly said: string[]
  /** Answers to `MAIL FROM`, in turn; 250 when there is none. */
  readonly answers: string[]
  close(): Promise<void>
}

export async function smtpStandIn(host = '127.0.0.1'): Promise<SmtpStandIn> {
  const standIn = { mails: [] as string[], said: [] as string[], answers: [] as string[] }
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    let mail: string[] | undefined
    let rest = ''
    const answer = (line: string): void => void socket.write(`${line}\r\n`)
    const hear = (line: string): void => {
      if (mail !== undefined) {
        if (line !== '.') return void mail.push(line)
        standIn.mails.push(mail.join('\n'))
        mail = undefined
        return answer('250 stored')
      }
      standIn.said.push(line)
      const verb = line.split(' ', 1)[0]?.toUpperCase()
      if (verb === 'EHLO') return answer('250-stand-in\r\n250 AUTH PLAIN')
      if (verb === 'STARTTLS') return answer('502 not here')
      if (verb === 'AUTH') return answer('235 welcome')
      if (verb === 'MAIL') return answer(standIn.answers.shift() ?? '250 fine')
      if (verb === 'DATA') {
        mail = []
        return answer('354 go on')
      }
      if (verb === 'QUIT') return void socket.end('221 bye\r\n')
      return answer('250 fine')
    }
    socket.on('data', (chunk) => {
      const lines = `${rest}${chunk.toString()}`.split('\r\n')
      rest = lines.pop() ?? ''
      lines.forEach(hear)
    })
    answer('220 stand-in')
  })
  await new Promise<void>((done) => server.listen(0, host, done))
  return {
    ...standIn,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        for (const socket of open) socket.destroy()
        server.close(() => done())
      }),
  }
}
