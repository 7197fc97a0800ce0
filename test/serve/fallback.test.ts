import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { crossbill, type Ran } from '../cli/crossbill.ts'
import { root } from '../house/sources.ts'
import type { Member } from '../inbox/rig.ts'
import { openTown, until, type Process, type Town } from './town.ts'

/**
 * Plays docs/fallback.md: every outage and every command of that page, one after another in one
 * town.
 */
describe('the manual fallback', { timeout: 60_000 }, () => {
  let town: Town
  let service: Process | undefined
  const said: string[] = []
  beforeAll(async () => {
    town = await openTown({ cancelsPerHour: 8 })
  })
  afterAll(() => town.close())

  const command = async (line: string): Promise<Ran> => {
    said.push(line)
    return crossbill(line.split(' ').slice(1), town.folder, town.env)
  }
  const serve = async (): Promise<void> => {
    said.push('crossbill serve')
    service = await town.serve()
  }
  const stop = async (): Promise<void> => {
    await service?.kill('SIGKILL')
    service = undefined
  }
  const member = async (name: string): Promise<Member> => {
    const made = await town.rig.member(name, 'held')
    await town.rig.kajabi.setExternalId(made.contact, made.customer)
    return made
  }
  const ended = async ({ successor, old }: Member): Promise<boolean> =>
    (await town.rig.status('target', successor)) === 'canceled' && (await town.rig.status('us', old)) === 'canceled'
  const holds = async ({ contact }: Member): Promise<boolean> => {
    const offers = await town.rig.kajabi.offersOf(contact)
    return offers.ok && offers.value.length > 0
  }
  const rowOf = async ({ contact }: Member) =>
    (await town.rig.store.inbox.list({ limit: 100 })).find(({ signal }) => signal.contact === contact)

  test('the service is down: a member is cancelled by hand, and a tag set in the meantime is found afterwards', async () => {
    const [ada, bo] = [await member('ada'), await member('bo')]
    await town.tag(bo.contact)
    const { code, stdout } = await command(`crossbill cancel ${ada.subscriber} --yes`)
    expect([code, await ended(ada), await holds(ada), await ended(bo)]).toEqual([0, true, false, false])
    expect(stdout).toContain('confirmed by Stripe')
    expect((await command(`crossbill cancel ${ada.subscriber} --yes`)).code).toBe(0)
    await serve()
    await until('bo is cancelled', () => ended(bo))
    expect((await command('crossbill inbox list')).stdout).toContain('done')
    const { code: differs, stdout: compared } = await command('crossbill inbox reconcile')
    expect([differs, compared]).toEqual([
      0,
      expect.stringMatching(/^Compared 4 subscriptions .*\nNo difference found\.\n$/),
    ])
  })

  test('Stripe is down: requests wait, and those that were given up are retried', async () => {
    const [cy, di] = [await member('cy'), await member('di')]
    town.down.stripe = true
    await town.tag(cy.contact)
    await until('it waits', async () => (await rowOf(cy)) !== undefined)
    await stop()
    // Hours later, the last attempt has failed.
    const given = await rowOf(cy)
    const at = town.rig.now()
    await town.rig.store.inbox.change(given?.id ?? '', {
      now: { state: 'dead', reason: 'given up after 7 tries' },
      note: { at: (at + 50_000) as typeof at, state: 'dead', text: 'given up' },
    })
    await town.tag(di.contact)
    expect((await command('crossbill inbox list --state retry')).code).toBe(0)
    town.down.stripe = false
    expect((await command('crossbill inbox list --state dead')).stdout).toContain(given?.id)
    expect((await command('crossbill inbox redrive --all')).code).toBe(0)
    await serve()
    await until('both are cancelled', async () => (await ended(cy)) && (await ended(di)))
  })

  test('Kajabi is down: no subscription is cancelled because of it, a cancel by hand works, and the access follows', async () => {
    const [ed, flo] = [await member('ed'), await member('flo')]
    town.down.kajabi = true
    await town.tag(ed.contact)
    await until('it waits', async () => (await rowOf(ed))?.now.state === 'retry')
    expect((await command('crossbill inbox list --state retry')).stdout).toContain('retry')
    expect((await command('crossbill doctor')).stdout).toMatch(/kajabi/i)
    const { code, stdout } = await command(`crossbill cancel ${flo.subscriber} --yes`)
    expect(stdout).toContain('Kajabi does not answer; the service revokes the access when it does')
    expect([code, await ended(flo), await holds(flo), await ended(ed)]).toEqual([0, true, true, false])
    town.down.kajabi = false
    await until('ed is cancelled, and the access of both taken', async () => {
      return (await ended(ed)) && !(await holds(ed)) && !(await holds(flo))
    })
  })

  test('cancelling has stopped: a person checks and resumes it', async () => {
    const many: Member[] = []
    for (const name of ['gil', 'hal', 'ida', 'jan', 'kai', 'lea']) many.push(await member(name))
    for (const { contact } of many) await town.tag(contact)
    await until('it has stopped', () => Promise.resolve(town.output().includes('cancelling has stopped')))
    expect((await command('crossbill inbox list --limit 50')).stdout).toContain('received')
    await stop()
    const file = join(town.folder, 'catalog/project.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('cancels_per_hour: 8', 'cancels_per_hour: 100'))
    expect((await command('crossbill inbox resume')).code).toBe(0)
    await serve()
    await until('all are cancelled', async () => (await Promise.all(many.map(ended))).every(Boolean))
  })

  test('the store is lost: it is rebuilt from the accounts, and the tag of a lost request is found', async () => {
    const [jo, kim] = [await member('jo'), await member('kim')]
    await stop()
    await town.tag(jo.contact)
    for (const end of ['', '-wal', '-shm']) {
      const file = join(town.folder, `state/crossbill.db${end}`)
      renameSync(file, `${file}.gone`)
    }
    expect((await command('crossbill state rebuild')).stdout).toMatch(/Found \d+ objects? and \d+ subscribers/)
    await serve()
    await until('jo is cancelled', () => ended(jo))
    expect((await command('crossbill verify')).stdout).not.toContain(jo.subscriber)
    expect(await ended(kim)).toBe(false)
    const store = await openStore({ file: join(town.folder, 'state/crossbill.db') })
    expect((await store.inbox.grants({ contact: kim.contact })).map(({ subscribers }) => subscribers)).toEqual([
      [kim.subscriber],
    ])
    await store.close()
  })

  test('every command of the page was run', () => {
    const page = readFileSync(join(root, 'docs/fallback.md'), 'utf8')
    const given = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
      .flatMap(([, block = '']) => block.trim().split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').replace(/ us\/sub_\w+$/, ''))
    expect(given.length).toBeGreaterThan(10)
    expect(given.filter((line) => !said.some((one) => one === line || one.startsWith(`${line} `)))).toEqual([])
  })
})
