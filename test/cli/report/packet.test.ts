import { inStage } from '../../../src/catalog/subscribers.ts'
import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/plan/types.ts'
import { documentHtml, documentMarkdown, nameOf, wholeHtml, type Document } from '../../../src/cli/report/document.ts'
import type { Evidence } from '../../../src/cli/report/evidence.ts'
import { packet } from '../../../src/cli/report/packet.ts'
import { parseArguments } from '../../../src/cli/arguments.ts'
import { commandTable } from '../../../src/cli/commands.ts'
import { readSnapshot, since, snapshotOf } from '../../../src/cli/report/since.ts'
import { commandLines, words } from '../command-lines.ts'
import { evidence, plan } from './evidence.ts'
import { present } from '../../../src/core/assert.ts'

function document(slug: string, of: Evidence): Document {
  return present(
    packet(of).find((one) => one.slug === slug),
    slug,
  )
}

describe('the evidence packet', () => {
  test('names everybody who waits or needs something, with the meaning and the code', () => {
    const people = documentMarkdown(document('people', evidence()))
    expect(people).toContain('| `us/sub_3` | 2026-12-31 |')
    expect(people).toContain(
      'The payment method that is charged today has no counterpart in the copy map. [payment_method_unmapped](codes.md)',
    )
    const codes = documentMarkdown(document('codes', evidence()))
    for (const { code } of [...plan.deferred, ...plan.blocked]) expect(codes).toContain(`| \`${code}\` |`)
    const text = documentMarkdown(document('migration-plan', evidence()))
    expect(text).toContain('| us/wave-01 `subscribers/us/wave-01.yaml` | 0 | 2 | 0 | 0 |')
  })

  test('every page that counts people has the same total, and its parts add up', () => {
    const of = evidence()
    expect(
      document('index', of)
        .figures?.slice(0, 5)
        .map(({ value }) => value),
    ).toEqual([3, 1, 2, 0, 0])
    for (const slug of ['people', 'migration-plan']) {
      const table = document(slug, of).sections.find(({ table: one }) => one?.rows.at(-1)?.[0] === 'together')?.table
      const counts = present(table, slug).rows.map(([, people = '']) => Number(people))
      expect(counts.at(-1)).toBe(3)
      expect(counts.slice(0, -1).reduce((sum, one) => sum + one, 0)).toBe(3)
    }
  })

  test('shows the way of everybody, with who does what and who was asked for a card', () => {
    const fix = 'ask once more'
    const awaited = { code: 'card_awaited', subscriber: 'us/sub_3', at: null, message: 'has not entered one yet', fix }
    const asked = { ...plan, notices: [awaited] } as Plan
    const people = documentMarkdown(document('people', evidence({ plan: asked })))
    expect(people).toContain('| billed by the new account | 2 | 1.00 usd |  |  |')
    expect(people).toContain('member: Let the member enter a card. |')
    expect(people).toContain('| together | 3 |')
    expect(people).toContain('| `us/sub_3` | not yet | has not entered one yet |')
  })

  test('ticks a box of the checklist only when the accounts were read', () => {
    const boxes = (of: Evidence): string[] =>
      documentMarkdown(document('cutover-checklist', of))
        .split('\n')
        .filter((line) => line.startsWith('- ['))
    expect(boxes(evidence())).toContain('- [ ] 6 changes of the catalog to apply: `crossbill apply`.')
    expect(boxes(evidence())).toContain('- [x] us/wave-01 moved (0 remaining), 2026-11-01 to 2026-11-08')
    expect(boxes(evidence())).toContain(
      '- [ ] us/wave-02 moved (1 remaining); next renewals 2026-12-31; who renews within 48 hours moves after that renewal',
    )
    expect(boxes(evidence())).toContain('- [x] No door is open.')
    const nothingOpen = evidence({ plan: { ...plan, changes: [], blocked: [] } })
    expect(boxes(nothingOpen)).toContain('- [x] The catalog is in the target.')
    const door = {
      check: 'portal_allows_changes',
      status: 'warning',
      account: 'us',
      message: 'lets members cancel',
      fix: 'Close it',
    } as const
    expect(boxes(evidence({ doctor: { ok: true, findings: [door] } }))).toContain(
      '- [ ] us: lets members cancel. Close it `portal_allows_changes`',
    )
  })

  test('rollback names for each member the dates, who can go back, until when, and the plan', () => {
    const text = documentMarkdown(document('rollback', evidence()))
    expect(text).toContain('| us/wave-01 | 1 | 1 | 0 | – |')
    expect(text).toContain(
      '| `us/sub_1` | 2026-11-01 | 2026-11-20 | yes, until settled | no; possible now | `aaaaaaaaaaaa` |',
    )
    expect(text).toMatch(
      /`us\/sub_2`.* not as it is: .*changed_since_move.* no; possible from 2027-01-14 at the latest/,
    )
    const settled = evidence({
      phases: new Map([['us/sub_1', 'settled']]),
      dates: new Map([['us/sub_1', { moved: '2026-11-01T12:00:00Z', settled: '2026-11-30T08:00:00Z' }]]),
    })
    expect(documentMarkdown(document('rollback', settled))).toContain(
      '| `us/sub_1` | 2026-11-01 | – | no, settled | 2026-11-30 | – |',
    )
    expect(documentMarkdown(document('codes', evidence()))).toContain('`changed_since_move`')
  })

  test('says who decides what by when, and which plans were applied', () => {
    const excluding = evidence()
    const subscribers = excluding.catalog.subscribers.map((one) =>
      one.key === 'us/sub_3' ? { ...one, excluded: 'pays by bank transfer' } : one,
    )
    const of = { ...excluding, catalog: { ...excluding.catalog, subscribers } }
    const text = documentMarkdown(document('decisions', of))
    expect(text).toContain('| move us/wave-01 | owner | – | done: 2 moved, 2026-11-01 to 2026-11-08 |  |  |')
    expect(text).toContain('| owner | 1 possible now; 1 from 2027-01-14 at the latest | 2 open |  |  |')
    expect(text).toContain('| policies | `past_due` | stop |')
    expect(text).toContain('| `us/sub_3` | stays in the old account | pays by bank transfer |')
    expect(documentMarkdown(document('verification', of))).toContain(
      '| `aaaaaaaaaaaa` | 2026-11-01 10:00:00 UTC | 2026-11-01 12:01:00 UTC | crossbill 0.1.0 | read again and proven | move 1, create 6 | `people_moved` |',
    )
    expect(snapshotOf(of).applied?.[0]?.plan).toHaveLength(64)
  })

  test('before the first copy, asks the owner for the copy and nobody for a decision', () => {
    const { way } = evidence()
    const [arrived, needs] = way.rows
    const waiting = { ...present(needs, 'a row'), state: 'uncopied', code: 'customer_not_copied', by: 'owner' } as const
    const missing = {
      check: 'copy_map_missing',
      status: 'warning',
      account: 'us',
      message: 'none',
      fix: 'import',
    } as const
    const clock = { check: 'clock_skew', status: 'warning', message: 'the clock is wrong', fix: 'set it' } as const
    const [record] = evidence().rehearsals
    const of = evidence({
      way: { ...way, rows: [present(arrived, 'a row'), waiting] },
      doctor: { ok: true, findings: [missing, clock] },
      rehearsals: [{ ...present(record, 'a rehearsal'), uncopied: ['us'] }],
    })
    const cover = documentMarkdown(document('index', of))
    expect(cover).toContain('1 person waits for Stripe’s copy of customers and cards, which the owner requests.**')
    expect(cover).toContain('- 0 need a decision')
    expect(cover).toContain(
      '| Wait for Stripe’s copy of customers and cards: Let the member enter a card. | owner | 1 person |',
    )
    expect(cover).not.toContain('copy_map_missing')
    const boxes = documentMarkdown(document('cutover-checklist', of))
    expect(boxes).toContain('- [x] No subscriber needs a decision.')
    expect(boxes).toContain('- [x] No door is open.')
    expect(boxes).toContain('- [ ] the clock is wrong. set it `clock_skew`')
    expect(boxes).toMatch(/- \[ \] Rehearsed on [^,]*, as if Stripe had copied us: .*Repeat it after the copy/)
    expect(documentMarkdown(document('rehearsal', of))).toContain('Stripe copies every customer and card of us')
  })

  test('every row has as many cells as its table has columns', () => {
    const { way } = evidence()
    const codes = way.rows.map((row) => ({ ...row, state: 'waits', until: '2026-12-04T00:00:00Z' }) as const)
    for (const of of [evidence(), evidence({ way: { ...way, rows: codes } })])
      for (const { slug, sections } of packet(of))
        for (const { heading, table } of sections)
          for (const row of table?.rows ?? []) expect(row, `${slug}: ${heading}`).toHaveLength(table?.heads.length ?? 0)
  })

  test('does not count a stage that is written but not applied', () => {
    const stage = (written: 'source' | 'settled'): Evidence => {
      const of = evidence()
      const subscribers = of.catalog.subscribers.map((one) => inStage(one, written))
      return { ...of, catalog: { ...of.catalog, subscribers } }
    }
    for (const of of [stage('settled'), stage('source')]) {
      expect(documentMarkdown(document('rollback', of))).toContain('| us/wave-01 | 1 | 1 | 0 | – |')
      const boxes = documentMarkdown(document('cutover-checklist', of))
      expect(boxes).toContain('- [x] us/wave-01 moved (0 remaining)')
      expect(boxes).toContain(
        '- [ ] us/wave-01 settled (2 remaining); after the first paid renewal, or 14 days after the move',
      )
    }
  })

  test('does not count subscribers who have left or are excluded with a reason as remaining', () => {
    const of = evidence({
      phases: new Map([
        ['us/sub_1', 'settled'],
        ['us/sub_2', 'ended'],
      ]),
    })
    const subscribers = of.catalog.subscribers.map((one) =>
      one.key === 'us/sub_3' ? { ...one, excluded: 'pays by bank transfer' } : one,
    )
    const boxes = documentMarkdown(document('cutover-checklist', { ...of, catalog: { ...of.catalog, subscribers } }))
    for (const wave of ['wave-01', 'wave-02'])
      for (const what of ['moved', 'settled']) expect(boxes).toContain(`- [x] us/${wave} ${what} (0 remaining)`)
  })

  test('does not count subscribers who ended in the old account before the move', () => {
    const { way } = evidence()
    const [first] = way.rows
    const arrived = { ...present(first, 'a row'), people: 1, subscribers: ['us/sub_1'] }
    const left = (state: 'ended' | 'ends' | 'waits'): string => {
      const rows = [arrived, { state, people: 1, mrr: {}, subscribers: ['us/sub_2'] } as const, ...way.rows.slice(1)]
      const phases = new Map([['us/sub_1', 'moved']])
      return documentMarkdown(document('migration-plan', evidence({ phases, way: { ...way, rows } })))
    }
    const line = '| us/wave-01 `subscribers/us/wave-01.yaml` |'
    for (const state of ['ended', 'ends'] as const) expect(left(state)).toContain(`${line} 0 | 1 | 0 | 1 |`)
    expect(left('waits')).toContain(`${line} 1 | 1 | 0 | 0 |`)
  })

  test('a full stop follows a link at once, and a day is on one line', () => {
    const page = documentHtml(document('rollback', evidence()))
    expect(page).toContain('old and new ids</a>. Days are in UTC.')
    expect(page).toContain('<span class="day">2027-01-14</span>')
  })

  test('the runbook says that apply needs the service of a project that has one', () => {
    const of = evidence()
    const serve = {} as NonNullable<typeof of.catalog.project.serve>
    const served = { ...of, catalog: { ...of.catalog, project: { ...of.catalog.project, serve } } }
    expect(documentMarkdown(document('runbook', of))).toContain('None of them needs the service')
    expect(documentMarkdown(document('runbook', served))).toContain('only while `crossbill serve` runs')
  })

  test('says when those who have ended did so', () => {
    const { way } = evidence()
    const ended = { state: 'ended', people: 1, mrr: {}, subscribers: ['us/sub_3'] } as const
    const dates = new Map([['us/sub_3', { ended: '2026-11-19T11:49:39Z' }]])
    const text = documentMarkdown(document('people', evidence({ way: { ...way, rows: [ended] }, dates })))
    expect(text).toContain('Everybody who moves is there. Card links')
    expect(documentMarkdown(document('people', evidence()))).toContain('can be there by 2026-12-01')
    expect(text).toContain(
      '## Have ended (1)\n\n| subscriber | next renewal as pulled | ended on |\n| --- | --- | --- |\n| `us/sub_3` | 2026-12-31 | 2026-11-19 |',
    )
  })

  test('lists violations with their fixes', () => {
    const violation = { code: 'double_payer', subscriber: 'us/sub_1', detail: 'two <payers>', fix: 'hold one' } as const
    const of = evidence({
      verified: { ok: false, checked: 36, ended: 0, accounts: {}, violations: [violation], notices: [] },
    })
    expect(documentMarkdown(document('verification', of))).toContain(
      'neither is on hold. [double_payer](codes.md) | `us/sub_1` | two <payers> | hold one |',
    )
    expect(documentHtml(document('verification', of))).toContain('<a class="fine" href="codes.html">double_payer</a>')
    expect(documentHtml(document('verification', of))).toContain('two &lt;payers&gt;')
  })

  test('has the same cells in Markdown and HTML', () => {
    for (const one of packet(evidence())) {
      const page = documentHtml(one)
      expect(page).toContain(one.page?.html ?? `<h1>${one.title}</h1>`)
      for (const section of one.sections) expect(page).toContain(section.heading.replaceAll('"', '&quot;'))
      expect(documentMarkdown(one).startsWith(`# ${one.title}\n`)).toBe(true)
    }
  })

  test('begins with a cover that says where the move stands, and leads to every document with one click', () => {
    const all = packet(evidence())
    const [first, ...others] = all
    const text = documentMarkdown(present(first, 'a cover'))
    expect(text).toContain('**The new account bills 2 of 3 subscribers. Exactly one account bills each of them.')
    expect(text).toContain('| old account | 1 | 2.50 usd |')
    for (const one of others) expect(text).toContain(`[${nameOf(one)}](${one.slug}.md)`)
    expect(others.map(({ slug }) => slug)).toEqual(
      expect.arrayContaining([
        'migration-plan',
        'mapping',
        'verification',
        'cutover-checklist',
        'rollback',
        'runbook',
        'webhooks',
      ]),
    )
    const pages = new Set(all.map(({ slug }) => `${slug}.html`))
    for (const one of all)
      for (const [, link = ''] of documentHtml(one, all).matchAll(/href="([^"]+)"/g)) expect(pages).toContain(link)
    const whole = wholeHtml('all', all)
    for (const [, link = ''] of whole.matchAll(/href="#([^"]+)"/g)) expect(whole).toContain(`<section id="${link}">`)
    expect(whole).not.toContain('.html"')
  })

  test('every command in it exists', async () => {
    const text = packet(evidence()).map(documentMarkdown).join('\n')
    const lines = commandLines(text)
    expect(lines).toContain('crossbill plan --out plans/back-us-wave-01.plan.json')
    for (const line of lines) await parseArguments(words(line), commandTable)
  })

  test('shows old and new prices side by side, and which differ or are not mapped', () => {
    const text = documentMarkdown(document('mapping', evidence()))
    expect(text).toContain(
      '| us | `price_1` | 1.00 usd every month | unspecified | 2 | `monthly` | 1.00 usd every month | unspecified | the same |',
    )
    expect(text).toMatch(/`price_2`.*\| differs \|/)
    expect(text).toMatch(/`price_3`.*\| not mapped \|/)
  })

  test('says what becomes of each old endpoint', () => {
    const text = documentMarkdown(document('webhooks', evidence()))
    expect(text).toMatch(/crm\.school\.example.*disable it before the first settle/)
  })

  test('a second report says what changed since the first', () => {
    const before = snapshotOf(evidence())
    const { way } = evidence()
    const [arrived] = way.rows
    const all = ['us/sub_1', 'us/sub_2', 'us/sub_3']
    const after = evidence({
      phases: new Map([
        ['us/sub_1', 'settled'],
        ['us/sub_2', 'moved'],
      ]),
      way: { ...way, rows: [{ ...present(arrived, 'a row'), people: 3, subscribers: all }] },
    })
    expect(readSnapshot(JSON.stringify(before))).toEqual(before)
    expect(readSnapshot('[]')).toBeUndefined()
    const told = since(before, snapshotOf(after))
    expect(told.rows).toContainEqual(['moved, can be undone', '2', '1'])
    expect(told.rows).toContainEqual(['settled', '0', '1'])
    expect(told.rows).toContainEqual(['on the way: billed by the new account', '2', '3'])
    expect(told.changed).toEqual([
      {
        from: expect.stringMatching(/^need something: .*payment_method_unmapped/),
        to: 'billed by the new account',
        subscribers: ['us/sub_3'],
      },
    ])
    const pages = packet(after, told)
    expect(documentMarkdown(present(pages[0], 'a cover'))).toContain('## Since 2026-12-01 12:00:00 UTC')
    const page = present(
      pages.find(({ slug }) => slug === 'since'),
      'the page of changes',
    )
    expect(documentMarkdown(page)).toContain('| billed by the new account | 1 | `us/sub_3` |')
    expect(since(before, before)).toMatchObject({ rows: [], changed: [] })
  })
})
