import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { openMetrics } from '../../src/server/metrics.ts'
import { root } from '../house/sources.ts'

/** The files of docs/operations, which people copy to their machines. */
const folder = join(root, 'docs/operations')
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}
const rules = (parse(text('prometheus-rules.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
)
const dashboard = JSON.parse(text('grafana-dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[]
}

/** Every metric that the service has, with the endings that Prometheus gives to a histogram. */
async function metrics(): Promise<ReadonlySet<string>> {
  const status = { states: {}, oldestPendingSeconds: undefined, lastReconciliation: undefined, breaker: undefined }
  const opened = openMetrics({ version: '1', status: async () => status as never, milliseconds: () => 0 })
  const shown = await opened.text()
  const named = [...shown.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  )
  return new Set(named)
}

const namesIn = (expr: string): readonly string[] => expr.match(/\b(?:crossbill|process)_\w+/g) ?? []

describe('docs/operations', () => {
  test('every rule and every panel asks for metrics that the service has, and each metric is watched', async () => {
    const there = await metrics()
    const asked = [...rules, ...dashboard.panels.flatMap(({ targets }) => targets)].flatMap(({ expr }) => namesIn(expr))
    expect(asked.filter((name) => !there.has(name))).toEqual([])
    const own = [...there].filter((name) => name.startsWith('crossbill_') && !/_(?:bucket|sum|count)$/.test(name))
    expect(own.filter((name) => !asked.some((one) => one.startsWith(name)))).toEqual([])
  })

  test('every alert says what it means and names the section of the page that has its command', () => {
    const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
    const sections = [...page.matchAll(/^### (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w ]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(rules.map(({ annotations }) => annotations.runbook.replace('docs/operations.md#', ''))).toSatisfy(
      (named: readonly string[]) => named.every((one) => sections.includes(one)),
    )
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    expect(rules.filter(({ labels, annotations }) => annotations.summary === '' || labels.severity === '')).toEqual([])
    for (const [, line = ''] of page.matchAll(/^\| \[operations\/([\w.-]+)\]/gm))
      expect(readdirSync(folder)).toContain(line)
  })

  test.skipIf(!isThere('promtool'))('promtool accepts the rules (skipped where promtool is not installed)', () => {
    expect(spawnSync('promtool', ['check', 'rules', join(folder, 'prometheus-rules.yaml')]).status).toBe(0)
  })

  test('the unit runs without privileges, sees no other files, and gives the service time to end', () => {
    const unit = text('crossbill.service')
    for (const line of [
      'DynamicUser=yes',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'PrivateDevices=yes',
      'RestrictNamespaces=yes',
      'SystemCallFilter=@system-service',
      'UMask=0077',
    ])
      expect(unit.split('\n')).toContain(line)
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10)
    // A program that V8 compiles needs memory that is written and executed.
    expect(unit).not.toContain('MemoryDenyWriteExecute=yes')
    expect(/^ExecStart=.* (\S+) serve$/m.exec(unit)?.[1]).toSatisfy((path: string) => existsSync(join(root, path)))
  })

  test.skipIf(!isThere('systemd-analyze'))('systemd accepts the unit (skipped where systemd is not installed)', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, 'crossbill.service')], { encoding: 'utf8' })
    expect(stderr).not.toMatch(/Unknown|Failed to parse|Invalid/)
  })

  test('the container has no secret, no privileges, and only files of the repository', () => {
    const lines = text('Dockerfile').split('\n')
    const copied = lines.flatMap((line) => /^COPY (.+) \S+$/.exec(line)?.[1]?.split(' ') ?? [])
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(copied).not.toContain('.')
    expect(lines).toContain('USER node')
    expect(lines.indexOf('USER node')).toBeLessThan(lines.findIndex((line) => line.startsWith('CMD')))
    expect(lines.filter((line) => /^(?:ENV|ARG)\b.*(?:KEY|SECRET|TOKEN)/i.test(line))).toEqual([])
    expect(lines.join('\n')).toMatch(/^HEALTHCHECK /m)
  })

  test.skipIf(spawnSync('docker', ['image', 'inspect', 'node:24-slim']).status !== 0)(
    'the container is built (skipped where docker does not run or has no image node:24-slim)',
    { timeout: 600_000 },
    () => {
      expect(spawnSync('docker', ['build', '-f', join(folder, 'Dockerfile'), root]).status).toBe(0)
    },
  )
})
