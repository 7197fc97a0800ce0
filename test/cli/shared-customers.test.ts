import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { idOf } from '../../src/core/reference.ts'
import { servedProject, type ServedProject } from './served-project.ts'

/**
 * One member in both old accounts with a different card in each. Both copies are one customer in
 * the target.
 */
async function shared(): Promise<{ project: ServedProject; subscriptions: readonly string[]; csv: readonly string[] }> {
  const project = await servedProject({ sources: ['us', 'intl'] })
  const [us, intl] = [
    await project.member('us', await project.price('us', 1_200)),
    await project.member('intl', await project.price('intl', 3_400)),
  ]
  // One person: both old accounts show the same e-mail address.
  const person = await project.stripe('us').customers.retrieve(us.customer)
  const email = 'email' in person ? (person.email ?? '') : ''
  await project.stripe('intl').customers.update(intl.customer, { email })
  await project.advance('2026-12-10T12:00:00Z')
  await project.copy()
  // Stripe merges no customers: the second copy map was made for the customer of the first copy.
  const target = project.stripe('target')
  const card = await target.paymentMethods.attach('pm_card_mastercard', { customer: us.customer })
  const header = 'customer_id_old,source_id_old,customer_id_new,source_id_new'
  writeFileSync(
    join(project.folder, 'intl.csv'),
    `${header}\n${intl.customer},${intl.card},${us.customer},${card.id}\n`,
  )
  for (const words of [['pull'], ['copy-map', 'import', 'us.csv', 'intl.csv'], ['apply', '--yes']]) {
    const ran = await project.run(...words)
    if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.stdout}${ran.stderr}`)
  }
  return { project, subscriptions: [us.subscription, intl.subscription], csv: [us.customer, card.id] }
}

async function methods(project: ServedProject, customer: string): Promise<ReadonlyMap<string, string>> {
  const owner = await project.stripe('target').customers.retrieve(customer)
  const usual = 'invoice_settings' in owner ? owner.invoice_settings.default_payment_method : null
  const all = await project.live('target', customer)
  return new Map(
    all.map(({ metadata, default_payment_method: own }) => [
      metadata['crossbill_from'] ?? '',
      idOf(own ?? usual ?? ''),
    ]),
  )
}

test.each(['together', 'one after the other'])(
  'two customers with one copy: each subscription is still charged to its own card, moved %s',
  { timeout: 90_000 },
  async (how) => {
    const { project, subscriptions, csv } = await shared()
    await using _closed = project
    const [customer = '', second = ''] = csv
    if (how === 'together') project.stage('target')
    for (const one of how === 'together' ? [''] : subscriptions) {
      if (one !== '') project.stage('target', one)
      const applied = await project.run('apply', '--yes')
      expect({ code: applied.code, text: applied.stdout + applied.stderr }).toMatchObject({ code: 0 })
    }
    const charged = await methods(project, customer)
    expect(charged.size).toBe(2)
    expect(charged.get(`intl/${subscriptions[1]}`)).toBe(second)
    expect(new Set(charged.values()).size).toBe(2)
    const verify = await project.run('verify')
    expect(verify.stdout).toContain('No violation')
    expect((await project.run('plan', '--detailed-exitcode')).code).toBe(0)
    // The member did not choose the card that the other source's copy brought.
    const [here] = (await project.live('target', customer)).filter(
      ({ metadata }) => metadata['crossbill_from'] === `us/${subscriptions[0]}`,
    )
    await project.stripe('target').subscriptions.update(here?.id ?? '', { default_payment_method: second })
    expect((await project.run('verify')).stdout).toContain('payment_method_differs')
  },
)

test(
  'one account under two names is refused by init, by validate, and by the account’s own answer',
  { timeout: 60_000 },
  async () => {
    const project = await servedProject({ sources: ['us', 'intl'] })
    await using _closed = project
    const id = project.sandbox.ready.accounts['us']?.id ?? ''
    const twice = await project.run(
      'init',
      '--project',
      join(project.folder, 'new'),
      '--target',
      id,
      '--source',
      `us=${id}`,
    )
    expect(twice.code).toBe(1)
    expect(twice.stderr).toContain('the same account')
    const whole = await project.run('validate')
    expect(whole.code).toBe(0)
    project.edit('project.yaml', (text) => text.replace(project.sandbox.ready.accounts['intl']?.id ?? '-', id))
    const validate = await project.run('validate')
    expect(validate.code).toBe(1)
    expect(validate.stdout).toContain('account-twice')
    project.edit('project.yaml', (text) => text.replace('KEY_INTL', 'KEY_US'))
    for (const command of ['plan', 'apply', 'verify']) {
      const ran = await project.run(command, ...(command === 'apply' ? ['--yes'] : []))
      expect(ran.code).toBe(1)
      expect(ran.stderr).toMatch(/account.twice/)
    }
  },
)

test(
  'accounts in different modes are refused: a live member is never held for a test successor',
  { timeout: 60_000 },
  async () => {
    const project = await servedProject()
    await using _closed = project
    project.edit('project.yaml', (text) => text.replace(/(us: .*livemode: )false/, '$1true'))
    expect((await project.run('validate')).stdout).toContain('mixed-modes')
  },
)
