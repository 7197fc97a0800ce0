import { max } from 'd3-array'
import { secondsPerDay } from '../../../core/instant.ts'
import type { RehearsalReport } from '../../../engine/rehearse/report.ts'
import { html, type Html } from '../../../core/html.ts'
import { moment, waveName } from '../rehearsal-words.ts'
import { countAxis, monthAxis, type Area } from './axes.ts'
import { attributes, drawn, linear, type Canvas } from './canvas.ts'

const day = secondsPerDay * 1_000
const height = 280

type Played = Pick<RehearsalReport, 'days' | 'waves' | 'ended'>

/** The charges of one column: of a day, or of a week when there is no room for days. */
interface Column {
  readonly at: number
  readonly until: number
  readonly name: string
  readonly expected: number
  readonly actual: number
  readonly differs: boolean
}

/**
 * Charges per day, or per week on a narrow canvas. Bar: the control run without a migration. Cap:
 * the run with the waves, so every correct bar has a cap on its top. Band: a wave can still be
 * undone. A mark at the top shows that the runs differ. Hovering shows the numbers.
 */
export function chargesPerDay(report: Played): Html {
  return drawn((canvas) => ({ height, content: charges(canvas, report) }))
}

function charges(canvas: Canvas, { days, waves, ended }: Played): Html {
  const area: Area = { left: 34, right: canvas.width - 8, top: 24, bottom: height - 26 }
  const columns = columnsOf(days, canvas.kind === 'narrow' && days.length > 90 ? 7 : 1)
  const span = [columns[0]?.at ?? 0, columns.at(-1)?.until ?? 0] as const
  const largest = Math.max(1, max(columns, ({ expected, actual }) => Math.max(expected, actual)) ?? 0)
  const x = linear(span, [area.left, area.right])
  const y = linear([0, largest], [area.bottom, area.top])
  const place = ({ at, until }: Column, share: number): { readonly x: number; readonly width: number } => {
    const whole = x(until) - x(at)
    return { x: tenth(x(at) + (whole * (1 - share)) / 2), width: tenth(whole * share) }
  }
  const cap = (one: Column): string => {
    const { x: from, width } = place(one, 0.9)
    return `M${from},${y(one.actual)}h${width}`
  }
  return html`<g class="bands">${waves.map((wave) => band(wave, { x, area, span, ended }))}</g>
    ${countAxis(area, y, largest)}
    <g class="bars">
      ${columns
        .filter(({ expected }) => expected > 0)
        .map(
          (one) =>
            html`<rect
              ${attributes({ ...place(one, 0.7), y: y(one.expected), height: tenth(area.bottom - y(one.expected)) })}
            />`,
        )}
    </g>
    <path
      class="caps"
      ${attributes({
        d: columns
          .filter(({ actual }) => actual > 0)
          .map(cap)
          .join(''),
      })}
    />
    <g class="differs">
      ${columns
        .filter(({ differs }) => differs)
        .map(({ at, until }) => html`<circle ${attributes({ cx: x((at + until) / 2), cy: area.top - 8, r: 3.5 })} />`)}
    </g>
    ${monthAxis(canvas, area, x, span)}
    <g class="hover">
      ${columns.map(
        (one) =>
          html`<rect ${attributes({ ...place(one, 1), y: area.top, height: area.bottom - area.top })}>
            <title>${one.name}: ${one.expected} without migration, ${one.actual} with it</title>
          </rect>`,
      )}
    </g>`
}

function columnsOf(days: RehearsalReport['days'], length: number): readonly Column[] {
  return Array.from({ length: Math.ceil(days.length / length) }, (_, index): Column => {
    const some = days.slice(index * length, (index + 1) * length)
    const at = Date.parse(some[0]?.day ?? '')
    return {
      at,
      until: at + some.length * day,
      name: some.length === 1 ? (some[0]?.day ?? '') : `${some[0]?.day} to ${some.at(-1)?.day}`,
      expected: some.reduce((sum, { expected }) => sum + expected, 0),
      actual: some.reduce((sum, { actual }) => sum + actual, 0),
      differs: some.some(({ expected, actual }) => expected !== actual),
    }
  })
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

interface Frame {
  readonly x: (value: number) => number
  readonly area: Area
  readonly span: readonly [number, number]
  readonly ended: RehearsalReport['ended']
}

function band(wave: RehearsalReport['waves'][number], { x, area, span, ended }: Frame): Html {
  const inside = (at: number): number => x(Math.min(Math.max(at * 1_000, span[0]), span[1]))
  const [from, to] = [inside(wave.movedAt), inside(wave.settledAt ?? ended)]
  return html`<rect
      ${attributes({ x: from, y: area.top, width: tenth(Math.max(0, to - from)), height: area.bottom - area.top })}
    >
      <title>${waveName(wave.name)}: ${wave.people} people move, ${moment(wave.movedAt)}</title>
    </rect>
    <path ${attributes({ d: `M${from},${area.top}V${area.bottom}` })} />`
}
