import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

/** The copy map with the new ids of its two members swapped, as after sorting two columns alone. */
function swapped(csv: string): string {
  const [header = '', ...rows] = csv.trim().split('\n')
  const cells = rows.map((row) => row.split(','))
  const mixed = cells.map(([customer, source], at) => {
    const other = cells[cells.length - 1 - at] ?? []
    return [customer, source, ...other.slice(2)].join(',')
  })
  return `${[header, ...mixed].join('\n')}\n`
}

test(
  'a copy map with mixed-up rows moves no member onto the card of another; the file from Stripe corrects it',
  { timeout: 90_000 },
  async () => {
    await using project = await servedProject()
    const price = await project.price('us', 1_200)
    const [one, other] = [await project.member('us', price), await project.member('us', price)]
    await project.advance('2026-12-10T12:00:00Z')
    await project.copy()
    const right = readFileSync(join(project.folder, 'us.csv'), 'utf8')
    const done = async (...words: string[]): Promise<string> => {
      const ran = await project.run(...words)
      expect({ words, code: ran.code, text: ran.stdout + ran.stderr }).toMatchObject({ code: 0 })
      return ran.stdout
    }
    await done('pull')
    writeFileSync(join(project.folder, 'us.csv'), swapped(right))
    await done('copy-map', 'import', 'us.csv')
    const check = await project.run('copy-map', 'check')
    expect(check.code).toBe(2)
    expect(check.stdout).toContain('us: 0 of 2 subscribers are ready')
    expect(check.stdout).toContain(`customer_id_old ${one.customer}, customer_id_new ${other.customer}`)
    expect(check.stdout).not.toContain('@')

    project.stage('target')
    await project.run('apply', '--yes')
    expect(await project.live('target', one.customer)).toEqual([])
    expect(await project.live('target', other.customer)).toEqual([])

    // A person can confirm it; without the confirmation, verify shows where the member is.
    const files = project.waves()
    for (const [path, text] of files)
      project.edit(path, () => text.replace(`  ${one.subscription}:\n`, `$&    override: [copy_mismatch]\n`))
    await project.run('apply', '--yes')
    expect(await project.live('target', other.customer)).toHaveLength(1)
    for (const [path, text] of files) project.edit(path, () => text)
    const wrong = await project.run('verify')
    expect(wrong.stdout).toContain('copy_mismatch')

    project.stage('source')
    await done('apply', '--yes')
    writeFileSync(join(project.folder, 'us.csv'), right)
    expect(await done('copy-map', 'import', 'us.csv')).toContain('2 changed')
    expect(await done('copy-map', 'check')).toContain('us: 2 of 2 subscribers are ready')
    project.stage('target')
    await done('apply', '--yes')
    expect(await project.live('target', one.customer)).toHaveLength(1)
    expect(await project.live('target', other.customer)).toHaveLength(1)
    await done('verify')
  },
)

/** The copy map with the new methods of two lines exchanged. */
function exchanged(csv: string, one: string, other: string): string {
  const lines = csv.trim().split('\n')
  const cells = lines.map((line) => line.split(','))
  const at = (id: string): string[] => cells.find((row) => row[1] === id) ?? []
  const [mine, theirs] = [at(one)[3] ?? '', at(other)[3] ?? '']
  const swap = new Map([
    [mine, theirs],
    [theirs, mine],
  ])
  return `${cells.map((row) => row.map((cell) => swap.get(cell) ?? cell).join(',')).join('\n')}\n`
}

/** Gives a member a second card that nothing charges, and may pin the first one. */
async function secondCard(project: ServedProject, member: Member, pinned: boolean): Promise<string> {
  const us = project.stripe('us')
  const { id } = await us.paymentMethods.attach('pm_card_mastercard', { customer: member.customer })
  if (pinned) await us.subscriptions.update(member.subscription, { default_payment_method: member.card })
  return id
}

async function charged(project: ServedProject, { customer }: Member): Promise<string | undefined> {
  const target = project.stripe('target')
  const [one] = await project.live('target', customer)
  const own = one?.default_payment_method
  const { invoice_settings: settings } = (await target.customers.retrieve(customer)) as Stripe.Customer
  const id = own ?? settings.default_payment_method
  return typeof id === 'string' ? (await target.paymentMethods.retrieve(id)).card?.brand : id?.card?.brand
}

test.each([true, false])(
  'a copy map that exchanges two cards of one member charges neither wrongly (pinned on the subscription: %s)',
  { timeout: 90_000 },
  async (pinned) => {
    await using project = await servedProject()
    const one = await project.member('us', await project.price('us', 1_200))
    const other = await secondCard(project, one, pinned)
    await project.advance('2026-12-10T12:00:00Z')
    await project.copy()
    const right = readFileSync(join(project.folder, 'us.csv'), 'utf8')
    writeFileSync(join(project.folder, 'us.csv'), exchanged(right, one.card, other))
    expect((await project.run('pull')).code).toBe(0)
    expect((await project.run('copy-map', 'import', 'us.csv')).code).toBe(0)
    const check = await project.run('copy-map', 'check')
    expect(check.code).toBe(2)
    expect(check.stdout).toContain('us: 0 of 1 subscribers are ready')
    expect(check.stdout).toContain('the old one is visa …4242 and the new one is mastercard …4444')

    project.stage('target')
    await project.run('apply', '--yes')
    expect(await project.live('target', one.customer)).toEqual([])
    const plan = await project.run('plan')
    expect(plan.stdout).toContain('copy_mismatch')
    await project.advance('2027-01-02T12:00:00Z')

    writeFileSync(join(project.folder, 'us.csv'), right)
    expect((await project.run('copy-map', 'import', 'us.csv')).code).toBe(0)
    expect((await project.run('copy-map', 'check')).code).toBe(0)
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect(await charged(project, one)).toBe('visa')
    expect((await project.run('verify')).stdout).toContain('No violation')
  },
)

test(
  'a member on the wrong card has one answer in verify, and pull never adopts that card',
  { timeout: 90_000 },
  async () => {
    await using project = await servedProject()
    const one = await project.member('us', await project.price('us', 1_200))
    const other = await secondCard(project, one, true)
    await project.advance('2026-12-10T12:00:00Z')
    await project.copy()
    const right = readFileSync(join(project.folder, 'us.csv'), 'utf8')
    writeFileSync(join(project.folder, 'us.csv'), exchanged(right, one.card, other))
    await project.run('pull')
    await project.run('copy-map', 'import', 'us.csv')
    project.stage('target')
    const files = project.waves()
    const confirmed = (text: string): string =>
      text.replace(`  ${one.subscription}:\n`, '$&    override: [copy_mismatch]\n')
    for (const [path] of files) project.edit(path, confirmed)
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect(await charged(project, one)).toBe('mastercard')
    for (const [path] of files) project.edit(path, (text) => text.replace('    override: [copy_mismatch]\n', ''))
    expect((await project.run('verify')).stdout).toContain('copy_mismatch')

    writeFileSync(join(project.folder, 'us.csv'), right)
    await project.run('copy-map', 'import', 'us.csv')
    const { stdout } = await project.run('verify')
    expect(stdout).toContain('payment_method_differs')
    expect(stdout).not.toContain('terms_differ')
    await project.run('pull')
    for (const text of project.waves().values()) expect(text).toContain(one.card)
  },
)

test(
  'a copy map that gives a member the card of another is refused once and then blocked',
  { timeout: 90_000 },
  async () => {
    await using project = await servedProject()
    const price = await project.price('us', 1_200)
    const [one, other] = [await project.member('us', price), await project.member('us', price)]
    for (const { subscription, card } of [one, other])
      await project.stripe('us').subscriptions.update(subscription, { default_payment_method: card })
    await project.advance('2026-12-10T12:00:00Z')
    await project.copy()
    const right = readFileSync(join(project.folder, 'us.csv'), 'utf8')
    writeFileSync(join(project.folder, 'us.csv'), exchanged(right, one.card, other.card))
    await project.run('pull')
    await project.run('copy-map', 'import', 'us.csv')
    const check = await project.run('copy-map', 'check')
    expect(check.stdout).toContain('us: 0 of 2 subscribers are ready')
    expect(check.stdout).toContain(`belongs to ${other.customer} of the target, not to ${one.customer}`)
    project.stage('target')
    const plan = await project.run('plan')
    expect(plan.stdout).toContain('copy_mismatch (2)')
    writeFileSync(join(project.folder, 'us.csv'), right)
    await project.run('copy-map', 'import', 'us.csv')
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect((await project.run('verify')).stdout).toContain('No violation')
  },
)
