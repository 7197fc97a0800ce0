import { ticks } from 'd3-array'
import { utcMonth } from 'd3-time'
import { utcFormat } from 'd3-time-format'
import { html, type Html } from '../../../core/html.ts'
import { attributes, type Canvas } from './canvas.ts'

/** The drawing area inside the axes, in SVG units. */
export interface Area {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

type Scale = (value: number) => number

/** Labels the months at the bottom; skips some when there is not enough room. */
export function monthAxis(canvas: Canvas, area: Area, x: Scale, [from, to]: readonly [number, number]): Html {
  const months = utcMonth.range(utcMonth.ceil(new Date(from)), new Date(to + 1))
  const step = Math.max(1, Math.ceil(months.length / canvas.labels))
  const label = utcFormat(canvas.kind === 'wide' ? '%b %Y' : '%b %y')
  return html`<g class="axis">
    <path ${attributes({ d: `M${area.left},${area.bottom}H${area.right}` })} />
    ${months
      .filter((_, index) => index % step === 0)
      .map((month) => {
        const at = x(month.getTime())
        return html`<path ${attributes({ d: `M${at},${area.bottom}v5` })} />
          <text ${attributes({ x: at, y: area.bottom + 18, 'text-anchor': anchor(at, area) })}>${label(month)}</text>`
      })}
  </g>`
}

/** Keeps the first and the last label inside the picture. */
function anchor(at: number, { left, right }: Area): string {
  if (at - left < 12) return 'start'
  return right - at < 28 ? 'end' : 'middle'
}

/**
 * Horizontal lines at round counts. Counts are whole, so there is no tick between two whole
 * numbers.
 */
export function countAxis(area: Area, y: Scale, largest: number): Html {
  return html`<g class="axis">
    ${ticks(0, largest, 4)
      .filter(Number.isInteger)
      .map(
        (count) =>
          html`<path class="grid" ${attributes({ d: `M${area.left},${y(count)}H${area.right}` })} />
            <text ${attributes({ x: area.left - 6, y: y(count) + 4, 'text-anchor': 'end' })}>${count}</text>`,
      )}
  </g>`
}
