import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { floors, sandboxMayUse } from '../house/floors.ts'
import { sourcesBelow } from '../house/sources.ts'

const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8')
const sources = sourcesBelow('src')

/** The folders that hold no effects. */
const pure = [
  'core',
  'kinds',
  'billing',
  'live',
  'catalog',
  'handover',
  'plan',
  'access',
  'cancel',
  'cards',
  'pull',
  'assumptions',
]

function lines(below: readonly string[], pattern: RegExp): string[] {
  return sources
    .filter(({ path }) => below.some((folder) => path.startsWith(`src/${folder}/`)))
    .flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([found]) => `${path}: ${found}`))
}

describe('docs/architecture.md says what the code does', () => {
  test('the table of floors is the order that the house test enforces', () => {
    const table = page
      .split('\n')
      .map((line) => /^\| (\d+) \| ([^|]+) \|/.exec(line))
      .filter((row) => row !== null)
    const folders = new Map<number, string[]>()
    for (const [, floor = '', cell = ''] of table) {
      const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
      folders.set(Number(floor), [...(folders.get(Number(floor)) ?? []), ...names])
    }
    const told = [...folders].toSorted(([a], [b]) => a - b).map(([, names]) => names.toSorted())
    expect(told).toEqual((floors['src'] ?? []).map((row) => [...row].toSorted()))
  })

  test('every inner folder is named', () => {
    const inner = new Set(sources.map(({ path }) => dirname(path)).filter((path) => path.split('/').length > 2))
    const names = [...inner].map((path) => path.slice('src/'.length).split('/').slice(0, 2).join('/'))
    expect([...new Set(names)].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })

  test('pure folders load nothing of Node but its hashes; the engine only a timer, for leases', () => {
    const node = lines([...pure, 'engine'], /from 'node:(?!crypto')[^']+'/g)
    expect(node).toEqual(["src/engine/lease.ts: from 'node:timers/promises'"])
    expect(lines([...pure, 'engine'], /\bfetch\(|\bsetTimeout\(/g)).toEqual([])
  })

  test('the sandbox shares the files of the core that the page counts', () => {
    const shared = new Set(
      sources
        .filter(({ path }) => path.startsWith('src/sandbox/'))
        .flatMap(({ imports }) => imports.filter((path) => !path.startsWith('src/sandbox/'))),
    )
    expect([...shared].toSorted()).toEqual([...sandboxMayUse].toSorted())
    expect(page).toContain(`shares only ${['no', 'one', 'two', 'three', 'four'][shared.size]} small files of \`core\``)
  })

  test('an error is dropped unread only where the page says so: text from outside, and a lost connection', () => {
    const dropped = lines(
      [
        'core',
        'live',
        'catalog',
        'handover',
        'plan',
        'access',
        'cancel',
        'cards',
        'pull',
        'engine',
        'kinds',
        'billing',
      ].concat(['stripe', 'kajabi', 'store', 'files', 'server', 'alerts', 'forge', 'cli']),
      /\bcatch \{/g,
    )
    expect(dropped.map((line) => line.split(':')[0] ?? '').toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'src/alerts/channels.ts',
      'src/alerts/mailer.ts',
      'src/cli/report/stored.ts',
      'src/cli/wiring/examine-service.ts',
      'src/core/signed-token.ts',
      'src/files/gzip.ts',
      'src/forge/request.ts',
      'src/kajabi/http.ts',
      'src/live/source.ts',
      'src/server/json-body.ts',
      'src/store/backup.ts',
      'src/store/checkpoints.ts',
      'src/store/group-commit.ts',
      'src/stripe/client.ts',
    ])
  })

  test('the service reports a bug wherever it continues after an error', () => {
    const served = sources.filter(({ path }) => /^src\/(engine\/(inbox|cards)|server)\//.test(path))
    const caught = served.flatMap(({ path, text }) =>
      text
        .split(/\bcatch ?\(/)
        .slice(1)
        .map((after) => `${path}: ${after.slice(0, 220)}`),
    )
    const continues = caught.filter((after) => !/\bthrow\b|reportBug|isBug|unreadable\(/.test(after))
    expect(caught.length).toBeGreaterThan(10)
    expect(continues).toEqual([])
  })

  test('the store has the tables that the page lists', () => {
    const tables = sources.find(({ path }) => path === 'src/store/tables.ts')?.text ?? ''
    const body = /export interface Tables \{([\s\S]*?)\n\}/.exec(tables)?.[1] ?? ''
    const names = [...body.matchAll(/^ {2}(\w+): \{/gm)].map(([, name = '']) => name)
    const words: Readonly<Record<string, string>> = {
      state_version: 'a version',
      objects: 'identities',
      subscribers: 'the states of hand-overs',
      journal: 'the journal',
      copy_map: 'the copy map',
      leases: 'leases',
      named_values: 'a few named values',
      inbox: 'the inbox',
      inbox_keys: 'the inbox',
      inbox_notes: 'the inbox',
      grants: 'grants',
      holdings: 'grants',
      grant_subscribers: 'grants',
    }
    expect(Object.keys(words).toSorted()).toEqual(names.toSorted())
    const paragraph = page.split('## The store')[1]?.split('## ')[0] ?? ''
    expect(Object.values(words).filter((word) => !paragraph.includes(word))).toEqual([])
  })
})
