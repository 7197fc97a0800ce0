import { money } from '../render/words.ts'
import { documentWith } from '../../files/outputs.ts'
import { storedDocument } from './stored.ts'
import { placesOf, type Evidence } from './evidence.ts'

/** The numbers of a report that the next one is compared with; ids only. */
export interface Snapshot {
  readonly format: 1
  readonly tool: string
  readonly at: string
  readonly plan: string
  /** Number of subscribers by place: `source`, `moved`, `settled`, `ended`. */
  readonly places: Readonly<Record<string, number>>
  /** Addresses of those who need a decision, by code. */
  readonly blocked: Readonly<Record<string, readonly string[]>>
  readonly deferred: number
  readonly violations: number
  /** Codes of doctor's findings that are not fine. */
  readonly findings: number
  readonly mrr: Readonly<Record<string, number>>
}

export interface Since {
  readonly at: string
  readonly rows: readonly (readonly string[])[]
}

/** The figures of an earlier report. */
export const snapshotKind = documentWith('the report.json of a report', 'at', 'plan')

export function snapshotOf(evidence: Evidence): Snapshot {
  const { plan, verified, doctor, at, tool } = evidence
  const places: Record<string, number> = {}
  for (const place of placesOf(evidence).values()) places[place] = (places[place] ?? 0) + 1
  const blocked = [...Map.groupBy(plan.blocked, ({ code }) => code)].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    format: 1,
    tool,
    at,
    plan: plan.plan,
    places,
    blocked: Object.fromEntries(blocked.map(([code, all]) => [code, all.map(({ address }) => address).sort()])),
    deferred: plan.deferred.length,
    violations: verified.violations.length,
    findings: doctor.findings.filter(({ status }) => status !== 'ok').length,
    mrr: Object.fromEntries(Object.entries(plan.money.mrr).map(([currency, { after }]) => [currency, after])),
  }
}

/** The snapshot in a file; undefined for anything else, also for another version. */
export function readSnapshot(text: string): Snapshot | undefined {
  const read: Partial<Snapshot> | undefined = storedDocument(text)
  return typeof read?.at === 'string' && read.places !== undefined ? (read as Snapshot) : undefined
}

/** What is different now; a row for each number and each reason that changed. */
export function since(before: Snapshot, now: Snapshot): Since {
  const rows = [
    ...changed('in the old accounts', before.places['source'], now.places['source']),
    ...changed('moved, can be undone', before.places['moved'], now.places['moved']),
    ...changed('settled', before.places['settled'], now.places['settled']),
    ...changed('ended', before.places['ended'], now.places['ended']),
    ...changed('wait for a date', before.deferred, now.deferred),
    ...changed('violations', before.violations, now.violations),
    ...changed('findings of doctor', before.findings, now.findings),
    ...keysOf(before.blocked, now.blocked).flatMap((code) => reasons(code, before, now)),
    ...keysOf(before.mrr, now.mrr).flatMap((currency) => {
      const [then, after] = [before.mrr[currency] ?? 0, now.mrr[currency] ?? 0]
      return then === after ? [] : [[`${currency} a month`, money(then, currency), money(after, currency)]]
    }),
  ]
  return { at: before.at, rows }
}

function reasons(code: string, before: Snapshot, now: Snapshot): readonly (readonly string[])[] {
  const [then, after] = [new Set(before.blocked[code]), new Set(now.blocked[code])]
  const came = [...after].filter((one) => !then.has(one)).length
  const left = [...then].filter((one) => !after.has(one)).length
  if (came + left === 0) return []
  return [[`blocked: \`${code}\``, String(then.size), `${after.size} (${came} new, ${left} solved)`]]
}

function changed(what: string, then = 0, now = 0): readonly (readonly string[])[] {
  return then === now ? [] : [[what, String(then), String(now)]]
}

function keysOf(a: object, b: object): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
}
