import { compile, type TopLevelSpec } from 'vega-lite'
import { parse, View } from 'vega'
import { formatInstant } from '../../core/instant.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { waveName } from './rehearsal-words.ts'

// Readable on white and on black paper alike; the two worlds differ in shape too (bars and a line), not by colour alone.
const was = '#8796a5'
const now = '#0b76c5'
const ink = '#6b7a89'

const config = {
  background: 'transparent',
  view: { stroke: 'transparent' },
  axis: { labelColor: ink, titleColor: ink, gridColor: '#8796a533', domainColor: ink, tickColor: ink },
  legend: { labelColor: ink, titleColor: ink, orient: 'top', labelLimit: 400 },
  font: 'system-ui, sans-serif',
} as const

const monthAxis = { format: '%b %Y', tickCount: { interval: 'month', step: 1 }, labelOverlap: true } as const

/** Charges per day: the world without migration as bars, the migrated world as a line upon them. Where they part, something is wrong. */
export async function chargesPerDay(report: RehearsalReport): Promise<string> {
  const values = report.days.flatMap(({ day, expected, actual }) => [
    { day, world: 'nobody migrates', charges: expected },
    { day, world: 'the waves are applied', charges: actual },
  ])
  const color = {
    field: 'world',
    type: 'nominal',
    title: null,
    scale: { domain: ['nobody migrates', 'the waves are applied'], range: [was, now] },
  } as const
  return draw({
    width: 900,
    height: 260,
    data: { values },
    encoding: { x: { field: 'day', type: 'temporal', title: null, axis: monthAxis } },
    layer: [
      {
        transform: [{ filter: "datum.world === 'nobody migrates'" }],
        mark: { type: 'bar', width: 2 },
        encoding: {
          y: { field: 'charges', type: 'quantitative', title: 'charges a day', axis: { tickMinStep: 1 } },
          color,
        },
      },
      {
        transform: [{ filter: "datum.world !== 'nobody migrates'" }],
        mark: { type: 'line', strokeWidth: 1, interpolate: 'step' },
        encoding: { y: { field: 'charges', type: 'quantitative' }, color },
      },
    ],
    config,
  })
}

/** When each wave moved and when its old subscriptions were finished for good. */
export async function waveTimeLine(report: RehearsalReport): Promise<string> {
  const values = report.waves.map((wave) => ({
    wave: `${waveName(wave.name)} (${wave.people})`,
    moved: formatInstant(wave.movedAt),
    settled: formatInstant(wave.settledAt ?? report.ended),
  }))
  const y = { field: 'wave', type: 'nominal', title: null, sort: null } as const
  return draw({
    width: 900,
    height: { step: 26 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 8, color: was, cornerRadius: 4 },
        encoding: {
          y,
          x: { field: 'moved', type: 'temporal', title: null, axis: monthAxis },
          x2: { field: 'settled' },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 90, color: now },
        encoding: { y, x: { field: 'moved', type: 'temporal' } },
      },
    ],
    config,
  })
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
