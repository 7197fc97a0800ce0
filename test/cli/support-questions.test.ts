import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explainSchema, type Explained } from '../../src/engine/explain/document.ts'
import { root } from '../house/sources.ts'
import { crossbill, type Ran } from './crossbill.ts'
import { inWorld } from './project-world.ts'

/** Members of the example school, by what they show. */
const moved = 'us/sub_1FUtASg15zdgyiDrW8YmkDm1'
const stays = 'us/sub_1ZvCY5HCtaaag4joWXlLDAUO'
const accounts = ['target', 'us', 'intl']

let folder = ''
const run = async (...words: string[]): Promise<Ran> => crossbill([...words, '--quiet'], folder)
const screen = async (...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run('explain', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toMatch(/@/)
  return stdout
}
const wave = (from: string, to: string): void => {
  const path = join(folder, 'catalog/subscribers/us/wave-02.yaml')
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
}

/** Each question of docs/support-questions.md, in its order, played in the example school. */
const questions: Readonly<Record<string, () => Promise<void>>> = {
  'Who charges this member next, when, how much, and with what?': async () => {
    const text = await screen(moved)
    expect(text).toContain('Next charge: 149.00 usd on 2026-12-18 02:29:55 UTC in us, card (visa, US, expires 6/2033)')
    expect(text).toContain('After the move: 149.00 usd on 2026-12-18 02:29:55 UTC in target, card')
  },
  'Why has this member not been moved?': async () => {
    await inWorld(folder, accounts, async (stripe) => {
      await stripe('us').subscriptions.update(stays.slice(3), { pause_collection: { behavior: 'void' } })
    })
    wave('sub_1ZvCY5HCtaaag4joWXlLDAUO:', 'sub_1ZvCY5HCtaaag4joWXlLDAUO:\n    stage: target')
    const text = await screen(stays)
    expect(text).toMatch(/collection_paused: Collection is paused in the old account/)
    expect(text).toContain('found: collection is paused (void)')
    expect(text).toContain('what to do: Resume it, or choose `policies.collection_paused: carry`.')
  },
  'When will this member be moved?': async () => {
    expect(await screen('us/sub_1d8YxZ0pYeh7lsHphEZ8ZrYw')).toMatch(
      /The YAML wants: stage source \(catalog\/subscribers/,
    )
  },
  'Two subscriptions are in Stripe. Does the member pay twice?': async () => {
    expect((await run('apply', '--yes')).code).toBe(0)
    const text = await screen(moved)
    expect(text).toMatch(
      /us +sub_1FUtASg15zdgyiDrW8YmkDm1 +on hold since .* UTC: it collects nothing, because the target bills/,
    )
    expect(text).toMatch(/target +sub_\w+ +target bills it, continues us\/sub_1FUtASg15zdgyiDrW8YmkDm1/)
    expect(text).not.toContain('double_payer')
  },
  'Can the move of this member still be undone?': async () => {
    expect(await screen(moved)).toContain('The target bills, and the move can be undone (`stage: source`).')
  },
  'The member says that they cancelled. Did the cancel arrive?': async () => {
    expect(await screen(moved)).toContain('Cancel signals: none')
    expect((await run('cancel', moved, '--yes')).code).toBe(0)
    expect(await screen(moved)).toMatch(/Cancel signals: 1\n {2}.* operator cancel: done \(inbox sig_\w+\)/)
  },
  'Who ended this subscription?': async () => {
    expect(await screen(moved)).toMatch(/ended on .* UTC: cancelled on request \(inbox sig_\w+\)/)
  },
  'Which requests were sent for this member, and how does Stripe find them?': async () => {
    const text = await screen(moved)
    expect(text).toContain('Requests sent: 5')
    for (const step of ['hold', 'create', 'keep', 'cancel target', 'cancel us'])
      expect(text).toMatch(new RegExp(`${step} .* succeeded +req_\\w+`))
  },
  'The member cannot open the course. What should they have?': async () => {
    const text = await screen('us/sub_1d8YxZ0pYeh7lsHphEZ8ZrYw')
    expect(text).toMatch(/haircare: paid by us\/sub_1d8YxZ0pYeh7lsHphEZ8ZrYw; granted 2026-12-01 .*; held in Kajabi/)
  },
  'Will the next renewal fail?': async () => {
    await inWorld(folder, accounts, async (stripe) => {
      const customer = (await stripe('us').subscriptions.retrieve('sub_1QF6bfSIbHorTmi0uoEpklRJ')).customer as string
      const card = await stripe('us').paymentMethods.attach('pm_card_visa', { customer })
      await stripe('us').customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
      await stripe('us').subscriptions.update('sub_1QF6bfSIbHorTmi0uoEpklRJ', { default_payment_method: card.id })
    })
    expect(await screen('us/sub_1QF6bfSIbHorTmi0uoEpklRJ')).toContain('method_not_copied')
  },
}

describe('docs/support-questions.md', { timeout: 60_000 }, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-support-'))
    cpSync(join(root, 'catalog'), join(folder, 'catalog'), { recursive: true })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('has exactly the questions that are played here', () => {
    const text = readFileSync(join(root, 'docs/support-questions.md'), 'utf8')
    expect([...text.matchAll(/^### (.*)$/gm)].map(([, title]) => title)).toEqual(Object.keys(questions))
  })

  test.each(Object.entries(questions))('%s', async (_question, play) => play())

  test('explain finds one person by every name, stores no address, and its JSON has the documented form', async () => {
    const valid = new Ajv2020({ strict: false }).compile(explainSchema)
    const { customer, email } = await inWorld(folder, accounts, async (stripe) => {
      const { customer: id } = await stripe('us').subscriptions.retrieve(moved.slice(3))
      const found = await stripe('us').customers.retrieve(id as string)
      return { customer: found.id, email: (found as { email: string }).email }
    })
    const json = async (...words: string[]): Promise<Explained> => {
      const { code, stdout } = await run('explain', ...words, '--format', 'json')
      expect(code).toBe(0)
      const document: unknown = JSON.parse(stdout)
      valid(document)
      expect(valid.errors).toBe(null)
      return document as Explained
    }
    const first = await json(moved)
    const successor = first.subscriptions.find(({ account }) => account === 'target')?.id ?? ''
    for (const words of [
      [`target/${successor}`],
      [successor],
      [customer],
      ['--email', email],
      ['--email', email.toUpperCase()],
    ]) {
      const { asked: _, ...same } = await json(...words)
      const { asked: __, ...whole } = first
      expect(same.subscriptions).toEqual(whole.subscriptions)
      expect(same.requests).toEqual(whole.requests)
    }
    const database = readFileSync(join(folder, 'state/crossbill.db')).toString('latin1')
    expect(database.includes(email)).toBe(false)
  })

  test('explain finds a customer by an address in other letters than Stripe has', async () => {
    const [id] = await inWorld(folder, accounts, async (stripe) =>
      Promise.all(
        ['Zoe.Zweig@Example.com', 'zoe.zweig@EXAMPLE.com'].map(
          async (email) => (await stripe('us').customers.create({ email })).id,
        ),
      ),
    )
    const { code, stdout } = await run('explain', 'zoe.zweig@example.com', '--format', 'json')
    expect(code).toBe(0)
    expect(stdout).toContain(id)
    expect(stdout).not.toMatch(/@/)
  })

  test('explain with an empty store says where the person stands, and what only the store would know', async () => {
    for (const name of readdirSync(join(folder, 'state')))
      if (!name.includes('.sandbox')) rmSync(join(folder, 'state', name))
    const text = await screen(moved)
    expect(text).toMatch(/cancelled on request \(inbox sig_\w+\)/)
    expect(text).toContain('What only the store would know')
    expect(text).toContain('This store has no record of what was sent for this person')
  })

  test('explain of nobody is one sentence', async () => {
    const { code, stdout, stderr } = await run('explain', 'us/sub_nobody')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('no account of this project and no subscriber file knows this person')
    expect((await run('explain')).stderr).toContain('explain needs a subscriber, a customer or --email')
  })
})
