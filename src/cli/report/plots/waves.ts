import type { RehearsalReport } from '../../../engine/rehearse/report.ts'
import { html, raw, type Html } from '../../../core/html.ts'
import { moment, waveName } from '../rehearsal-words.ts'
import { monthAxis, type Area } from './axes.ts'
import { attributes, drawn, linear, type Canvas } from './canvas.ts'

const row = 40

type Played = Pick<RehearsalReport, 'waves' | 'began' | 'ended'>

/**
 * The waves on a time line, one row for each. Dot: the wave moves. Bar: it can still be undone. End
 * of the bar: the old subscriptions are cancelled.
 */
export function waveTimeLine(report: Played): Html {
  const height = report.waves.length * row + 34
  return drawn((canvas) => ({ height, content: rows(canvas, report, height) }))
}

function rows(canvas: Canvas, { waves, began, ended }: Played, height: number): Html {
  const area: Area = { left: 10, right: canvas.width - 10, top: 4, bottom: height - 26 }
  const span = [began * 1_000, ended * 1_000] as const
  const x = linear(span, [area.left, area.right])
  return html`${waves.map((wave, index) => {
    const from = x(Math.max(wave.movedAt, began) * 1_000)
    const to = x((wave.settledAt ?? ended) * 1_000)
    // A wave that moved before has its dot left of the picture.
    const isBefore = wave.movedAt < began
    const middle = area.top + index * row + 28
    const settled = wave.settledAt === undefined ? 'not settled yet' : `settled ${moment(wave.settledAt)}`
    // A label that starts late would leave the picture on the right.
    const late = from > canvas.width * 0.6
    const label = { x: late ? area.right : from, y: middle - 11, 'text-anchor': late ? 'end' : 'start' }
    return html`<g class="wave">
      <title>${waveName(wave.name)}: ${wave.people} people, moved ${moment(wave.movedAt)}, ${settled}</title>
      <text class="name" ${attributes(label)}
        >${waveName(wave.name)} (${wave.people}${isBefore ? ', moved before' : ''})</text
      >
      <rect ${attributes({ x: from, y: middle - 4, width: Math.max(0, to - from), height: 8, rx: 4 })} />
      ${isBefore ? raw('') : html`<circle ${attributes({ cx: from, cy: middle, r: 6 })} />`}
    </g>`
  })}
  ${monthAxis(canvas, area, x, span)}`
}
