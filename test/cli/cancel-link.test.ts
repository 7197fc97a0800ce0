import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readLink } from '../../src/cancel/link.ts'
import { instant } from '../../src/core/instant.ts'
import { linkKey } from '../../src/server/secrets.ts'
import { crossbill, type Ran } from './crossbill.ts'
import { copyProject } from './project-world.ts'

const secret = Buffer.alloc(32, 7).toString('base64')

describe("members' own cancel links", () => {
  let folder = ''
  beforeEach(() => {
    folder = copyProject('small')
    appendFileSync(
      join(folder, 'catalog/project.yaml'),
      'sandbox: { population: school, subscribers: 6 }\nserve: { public_url: "https://cancel.school.example/", link_secrets: [{ env: LINKS }] }\n',
    )
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const run = async (...words: string[]): Promise<Ran> => crossbill([...words, '--quiet'], folder, { LINKS: secret })

  function claims(link: string): ReturnType<typeof readLink> {
    const [, token = ''] = /^https:\/\/cancel\.school\.example\/cancel\/(.+)$/.exec(link) ?? []
    const keys = [linkKey(secret)].filter((key) => key !== undefined)
    return readLink(token, keys, instant(Math.floor(Date.now() / 1_000)))
  }

  test('makes a link for one subscriber, which the service accepts', async () => {
    await run('pull')
    const wave = readFileSync(join(folder, 'catalog/subscribers/us/wave-01.yaml'), 'utf8')
    const id = /^ {2}(sub_\w+):/m.exec(wave)?.[1] ?? ''
    const { code, stdout } = await run('cancel-link', `us/${id}`, '--days', '3', '--format', 'json')
    const made = JSON.parse(stdout) as { link: string; expires: string }
    expect(code).toBe(0)
    expect(claims(made.link)).toMatchObject({ ok: true, claims: { subscriber: `us/${id}`, offer: '' } })
    expect(Date.parse(made.expires) - Date.now()).toBeGreaterThan(2.9 * 86_400_000)
  })

  test('report makes one link for each subscriber, in a file that only its owner can read', async () => {
    await run('pull')
    expect((await run('report', '--cancel-links')).code).toBe(0)
    const path = join(folder, 'report/cancel-links.csv')
    const [head, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(head).toBe('customer,subscriber,link,expires')
    expect(rows.length).toBeGreaterThan(1)
    for (const row of rows) {
      const [, subscriber, link = ''] = row.split(',')
      expect(claims(link)).toMatchObject({ ok: true, claims: { subscriber } })
    }
    expect(new Set(rows.map((row) => row.split(',')[2])).size).toBe(rows.length)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('refuses to make a link without a key, a public address or an existing offer', async () => {
    expect((await crossbill(['cancel-link', 'us/sub_1'], folder)).stderr).toContain('secret_missing')
    expect((await run('cancel-link', 'us/sub_1', '--offer', 'membership')).stderr).toContain('unknown-offer')
    const path = join(folder, 'catalog/project.yaml')
    writeFileSync(path, readFileSync(path, 'utf8').replace('public_url: "https://cancel.school.example/", ', ''))
    expect((await run('cancel-link', 'us/sub_1')).stderr).toContain('no_public_url')
  })
})
