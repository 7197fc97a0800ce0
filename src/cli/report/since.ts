import type { AppliedPlan } from '../../engine/apply/applied-log.ts'
import type { PersonDates } from '../../engine/plan/person-dates.ts'
import { wayWords } from '../render/way-text.ts'
import { money } from '../render/words.ts'
import { said } from './said.ts'
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
  /** Everybody by where they are on the way: `needs coupon_unmapped` names the ids of those. */
  readonly way: Readonly<Record<string, readonly string[]>>
  readonly violations: number
  /** Codes of doctor's findings that are not fine. */
  readonly findings: number
  readonly mrr: Readonly<Record<string, number>>
  /** The plans that this store applied, with their whole digests. */
  readonly applied?: readonly AppliedPlan[]
  /** When each person moved and was settled. */
  readonly dates?: Readonly<Record<string, PersonDates>>
}

export interface Since {
  readonly at: string
  readonly rows: readonly (readonly string[])[]
  /** People who are in another row of the way than before. */
  readonly changed: readonly { readonly from: string; readonly to: string; readonly subscribers: readonly string[] }[]
}

/** The figures of an earlier report. */
export const snapshotKind = documentWith('the report.json of a report', 'at', 'plan')

export function snapshotOf(evidence: Evidence): Snapshot {
  const { plan, verified, doctor, at, tool, way } = evidence
  const places: Record<string, number> = {}
  for (const place of placesOf(evidence).values()) places[place] = (places[place] ?? 0) + 1
  const rows = [...Map.groupBy(way.rows, ({ state, code = '' }) => `${state} ${code}`.trim())]
  return {
    format: 1,
    tool,
    at,
    plan: plan.plan,
    places,
    way: Object.fromEntries(
      rows.map(([where, all]) => [where, all.flatMap(({ subscribers }) => subscribers).toSorted()]),
    ),
    violations: verified.violations.length,
    findings: doctor.findings.filter(({ status }) => status !== 'ok').length,
    mrr: Object.fromEntries(Object.entries(plan.money.mrr).map(([currency, { after }]) => [currency, after])),
    applied: evidence.applied,
    dates: Object.fromEntries(evidence.dates),
  }
}

/** The snapshot in a file; undefined for anything else, also for another version. */
export function readSnapshot(text: string): Snapshot | undefined {
  const read: Partial<Snapshot> | undefined = storedDocument(text)
  return typeof read?.at === 'string' && read.places !== undefined && read.way !== undefined
    ? (read as Snapshot)
    : undefined
}

/** What is different now; a row for each number and each reason that changed. */
export function since(before: Snapshot, now: Snapshot): Since {
  const rows = [
    ...changed('in the old accounts', before.places['source'], now.places['source']),
    ...changed('moved, can be undone', before.places['moved'], now.places['moved']),
    ...changed('settled', before.places['settled'], now.places['settled']),
    ...changed('ended', before.places['ended'], now.places['ended']),
    ...changed('violations', before.violations, now.violations),
    ...changed('findings of doctor', before.findings, now.findings),
    ...keysOf(before.way, now.way).flatMap((where) =>
      changed(`on the way: ${wordsOf(where)}`, before.way[where]?.length, now.way[where]?.length),
    ),
    ...keysOf(before.mrr, now.mrr).flatMap((currency) => {
      const [then, after] = [before.mrr[currency] ?? 0, now.mrr[currency] ?? 0]
      return then === after ? [] : [[`${currency} a month`, money(then, currency), money(after, currency)]]
    }),
  ]
  return { at: before.at, rows, changed: transitions(before, now) }
}

function transitions(before: Snapshot, now: Snapshot): Since['changed'] {
  const [then, after] = [placed(before), placed(now)]
  const moves = [...new Set([...then.keys(), ...after.keys()])].flatMap((key) => {
    const [from, to] = [then.get(key) ?? 'not declared', after.get(key) ?? 'not declared']
    return from === to ? [] : [{ key, from, to }]
  })
  return [...Map.groupBy(moves, ({ from, to }) => `${from} > ${to}`).values()]
    .toSorted((a, b) => b.length - a.length)
    .map((all) => ({
      from: wordsOf(all[0]?.from ?? ''),
      to: wordsOf(all[0]?.to ?? ''),
      subscribers: all.map(({ key }) => key).toSorted(),
    }))
}

function placed({ way }: Snapshot): ReadonlyMap<string, string> {
  return new Map(Object.entries(way).flatMap(([where, keys]) => keys.map((key) => [key, where] as const)))
}

/** `need something: A coupon …`; the key itself when another version wrote it. */
function wordsOf(where: string): string {
  const [state = '', code] = where.split(' ')
  const words: Readonly<Record<string, string | undefined>> = wayWords
  return `${words[state] ?? where}${code === undefined || words[state] === undefined ? '' : `: ${said(code)}`}`
}

function changed(what: string, then = 0, now = 0): readonly (readonly string[])[] {
  return then === now ? [] : [[what, String(then), String(now)]]
}

function keysOf(a: object, b: object): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
}
