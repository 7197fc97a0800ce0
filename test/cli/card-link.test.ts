import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import type { Way } from '../../src/plan/way.ts'
import { root } from '../house/sources.ts'
import { crossbill, type Ran } from './crossbill.ts'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** A relay that would mail the links; it records what it is given. */
async function mailer(): Promise<{ readonly url: string; readonly mails: Record<string, string>[] }> {
  const mails: Record<string, string>[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      mails.push(JSON.parse(body) as Record<string, string>)
      response.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail`, mails }
}

interface School {
  readonly project: ServedProject
  readonly lost: Member
  readonly mails: readonly Record<string, string>[]
  readonly run: (...words: string[]) => Promise<Ran>
  readonly serve: () => Promise<{ readonly admin: string }>
}

/** Two members to move; the copy did not bring the card of the first. */
async function school(): Promise<School> {
  const port = await freePort()
  const { url, mails } = await mailer()
  const lines = [
    `serve: { public_url: "http://127.0.0.1:${port}", port: ${port}, link_secrets: [{ env: LINKS }], mailer: { env: MAILER } }`,
  ]
  const project = await servedProject({ lines })
  ends.push(() => project[Symbol.asyncDispose]())
  const accounts = { KEY_TARGET: 'sk_test_sandbox_target', KEY_US: 'sk_test_sandbox_us' }
  const env = { ...accounts, LINKS: Buffer.alloc(32, 7).toString('base64'), MAILER: url }
  const run = async (...words: string[]): Promise<Ran> => crossbill(words, project.folder, env)
  const price = await project.price('us', 4_900)
  const [lost] = [await project.member('us', price), await project.member('us', price)]
  await project.advance('2026-12-10T12:00:00Z')
  await project.copy()
  const csv = join(project.folder, 'us.csv')
  writeFileSync(
    csv,
    readFileSync(csv, 'utf8').replaceAll(new RegExp(`^(${lost.customer},[^,\\n]*),.*$`, 'gm'), without),
  )
  for (const words of [['pull'], ['copy-map', 'import', 'us.csv']])
    expect({ words, ...(await run(...words)) }).toMatchObject({ code: 0 })
  project.stage('target')
  return {
    project,
    lost,
    mails,
    run,
    async serve() {
      const launcher = join(root, 'src/bin/crossbill.js')
      const child = spawn(process.execPath, [launcher, 'serve', '--format', 'json', '--admin-port', '0'], {
        cwd: project.folder,
        env: { ...process.env, ...env },
      })
      ends.push(() => child.kill('SIGKILL'))
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      return { admin: (JSON.parse(line.toString()) as { admin_url: string }).admin_url }
    },
  }
}

/** A row of the mapping file without its payment method. */
function without(line: string): string {
  const cells = line.split(',')
  return cells.map((cell) => (/^(pm|card|src)_/.test(cell) ? '' : cell)).join(',')
}

describe('card-link', () => {
  test(
    'a member without a copied card gets a link, enters a card, and the next apply moves them',
    { timeout: 120_000 },
    async () => {
      const { project, lost, mails, run, serve } = await school()
      const key = `us/${lost.subscription}`
      const before = await run('plan', '--format', 'json')
      const blocked = (JSON.parse(before.stdout) as { blocked: { address: string; code: string; fix: string }[] })
        .blocked
      expect(blocked).toMatchObject([{ address: `subscriber.${key}`, code: 'payment_method_unmapped' }])
      expect(blocked[0]?.fix).toContain('crossbill card-link')
      const listed = await run('card-link', '--code', 'payment_method_unmapped', '--format', 'csv')
      const [head, row = '', ...more] = listed.stdout.trimEnd().split('\n')
      expect([listed.code, head, row.split(',')[0], more]).toEqual([0, 'subscriber,url', key, []])
      expect(listed.stdout + listed.stderr).not.toMatch(/@|Member \d/)

      const wayNow = async (): Promise<unknown> => {
        const way = JSON.parse((await run('plan', '--summary', '--format', 'json')).stdout) as Way
        return [way.rows.map(({ state, people }) => [state, people]), way.cards]
      }
      expect(await wayNow()).toEqual([
        [
          ['moves', 1],
          ['asked', 1],
        ],
        { asked: 1, opened: 0, entered: 0 },
      ])

      // Asked once: a mailing leaves them out, until an operator asks again.
      const mailed = await run('card-link', '--code', 'all', '--mail', '--format', 'json')
      expect([JSON.parse(mailed.stdout), mails]).toMatchObject([{ links: [], failed: [] }, []])
      expect(mailed.stderr).toContain('1 member left out, because they were asked before')
      const again = await run('card-link', '--code', 'all', '--mail', '--again', '--format', 'json')
      expect(mails).toMatchObject([{ email: 'member1@example.com', about: 'card', link: expect.any(String) }])
      expect(again.stdout + again.stderr).not.toContain('@example.com')

      const { admin } = await serve()
      const url = row.slice(row.indexOf(',') + 1)
      expect(await (await fetch(url)).text()).toContain('You never pay twice.')
      const pressed = await (await fetch(url, { method: 'POST' })).text()
      const stripe = present(/url=(http[^"]+)"/.exec(pressed)?.[1], pressed)
      const card = new URLSearchParams({ number: '4242424242424242', expiry: '12/34', cvc: '123' })
      const saved = await fetch(stripe, { method: 'POST', body: card.toString(), redirect: 'manual' })
      expect(saved.headers.get('location')).toBe(url)
      expect(await (await fetch(url)).text()).toContain('Your card is saved')
      expect(await (await fetch(admin)).text()).toContain('1 cards entered')

      const applied = await run('apply', '--yes', '--format', 'json')
      expect({ code: applied.code, text: applied.stderr }).toMatchObject({ code: 0 })
      const [successor] = await project.live('target', lost.customer)
      expect(successor?.metadata['crossbill_card']).toMatch(/^pm_/)
      expect((await run('verify')).code).toBe(0)
      expect((await run('cards', 'check')).code).toBe(0)
      expect(await wayNow()).toEqual([[['arrived', 2]], { asked: 0, opened: 0, entered: 1 }])
      // Nobody is left to ask, also for a store that knows nothing.
      project.loseStore()
      expect((await run('card-link', '--code', 'all', '--format', 'csv')).stdout.trimEnd()).toBe('subscriber,url')
    },
  )

  test('refuses a member who needs none or whose customer is missing, and half of an order', async () => {
    const { lost, run } = await school()
    expect((await run('card-link')).stderr).toContain('who-or-code')
    expect((await run('card-link', 'us/sub_1', '--code', 'all')).stderr).toContain('who-or-code')
    expect((await run('card-link', '--code', 'nothing')).code).toBe(1)
    expect((await run('card-link', 'us/sub_nobody')).stderr).toContain('nobody_found')
    const one = await run('card-link', lost.customer, '--days', '2')
    expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/card\/\S+\n$/)])
  })
})
