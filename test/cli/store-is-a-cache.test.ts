import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

/** Three members; the subscription of the first has its own card. */
async function school(): Promise<{ project: ServedProject; members: readonly Member[] }> {
  const project = await servedProject()
  const price = await project.price('us', 1_200)
  const first = await project.member('us', price)
  const own = await project.stripe('us').paymentMethods.attach('pm_card_mastercard', { customer: first.customer })
  await project.stripe('us').subscriptions.update(first.subscription, { default_payment_method: own.id })
  const members = [first, await project.member('us', price), await project.member('us', price)]
  await project.advance('2026-12-10T12:00:00Z')
  await project.copy()
  return { project, members }
}

const story: readonly (readonly string[])[] = [
  ['pull'],
  ['copy-map', 'import', 'us.csv'],
  ['apply', '--yes'],
  ['STAGE', 'target'],
  ['plan', '--format', 'json'],
  ['copy-map', 'check'],
  ['copy-map', 'import', 'us.csv'],
  ['apply', '--yes', '--format', 'json'],
  ['plan', '--format', 'json'],
  ['verify', '--format', 'json'],
  ['drift', '--format', 'json'],
  ['pull'],
  ['state', 'export'],
  ['STAGE', 'source'],
  ['plan', '--format', 'json'],
  ['apply', '--yes', '--format', 'json'],
  ['verify', '--format', 'json'],
]

/** The output of a command without the ids of the store and the plan and without times. */
function said(text: string, project: ServedProject, members: readonly Member[]): string {
  const names = members.flatMap(({ customer, subscription, card }) => [customer, subscription, card])
  // Only the copy map knows a copied card that no subscription uses.
  const charged = text.replaceAll(new RegExp(`^payment_method,us,${members[0]?.card},.*\\n`, 'gm'), '')
  const named = names.reduce((rest, name, at) => rest.replaceAll(name, `<${at}>`), charged)
  return named
    .replaceAll(project.folder, '<folder>')
    .replaceAll(/\b(sub|pm|prod|price|acct|cus|card)_\w+/g, '$1_')
    .replaceAll(
      /"(lineage|live|catalog|plan|idempotency_key|seen|fingerprint|successor_fingerprint)": ?"[^"]*"/g,
      '"$1"',
    )
    .replaceAll(/"(serial)": ?\d+/g, '"$1"')
}

async function told(isLost: (at: number) => boolean): Promise<readonly string[]> {
  const { project, members } = await school()
  await using _closed = project
  const all: string[] = []
  for (const [at, words] of story.entries()) {
    if (words[0] === 'STAGE') {
      project.stage(words[1] ?? '')
      continue
    }
    if (isLost(at)) project.loseStore()
    // Before a move, no account shows the copy map.
    const isImported = words[0] === 'copy-map' && words[1] === 'import'
    if (isLost(at) && words[0] === 'apply' && at < 8) await project.run('copy-map', 'import', 'us.csv')
    const { code, stdout } = await project.run(...words)
    const waves = words[0] === 'pull' ? [...project.waves().values()].join('') : ''
    if (!isImported && !(words.includes('plan') && at < 6) && !words.includes('check'))
      all.push(`${words.join(' ')}: ${code} ${said(stdout + waves, project, members)}`)
  }
  return all
}

describe('promise 8: losing the state loses nothing', { timeout: 240_000 }, () => {
  test('every command prints the same output with and without the state folder', async () => {
    const whole = await told(() => false)
    expect(await told(() => true)).toEqual(whole)
  })
})

test(
  'a plan made in one checkout is applied in another one, and again in a third one without a second subscription',
  { timeout: 90_000 },
  async () => {
    const { project, members } = await school()
    await using _closed = project
    await project.ready()
    project.edit('project.yaml', (text) => `${text}copy_maps: { us: [us.csv] }\n`)
    await project.copy()
    const csv = await project.sandbox.fetch('http://sandbox/_sandbox/copy', {
      method: 'POST',
      body: JSON.stringify({ from: 'us', to: 'target' }),
    })
    writeFileSync(join(project.folder, 'catalog/us.csv'), await csv.text())
    project.stage('target', members[0]?.subscription)
    expect((await project.run('plan', '--out', 'wave.plan.json')).code).toBe(0)
    const ci = project.checkout()
    const plan = join(project.folder, 'wave.plan.json')
    const applied = await ci.run('apply', plan)
    expect(applied).toMatchObject({ code: 0 })
    expect(await project.live('target', members[0]?.customer ?? '')).toHaveLength(1)
    // The same plan again, from a third checkout: the accounts show that it is done.
    const again = await project.checkout().run('apply', plan)
    expect(again.code).toBe(0)
    expect(await project.live('target', members[0]?.customer ?? '')).toHaveLength(1)
  },
)
