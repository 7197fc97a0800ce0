import { html, raw, type Html } from '../../../core/html.ts'
import { attributes, drawn, type Canvas } from './canvas.ts'

/** Of how many payments or set-ups, how many failed. */
interface Bar {
  readonly what: string
  readonly of: number
  readonly failed: number
}

const row = 44

/** `1.2 %`; a dash without any. */
export function shareText({ of, failed }: Pick<Bar, 'of' | 'failed'>): string {
  return of === 0 ? '–' : `${Math.round((failed / of) * 1_000) / 10} %`
}

/** One bar for each rate, all on one scale, so that the target and the sources can be compared. */
export function declineBars(bars: readonly Bar[]): Html {
  const most = Math.max(0.01, ...bars.map(({ of, failed }) => (of === 0 ? 0 : failed / of)))
  return drawn((canvas) => ({ height: bars.length * row, content: drawnBars(canvas, bars, most) }))
}

function drawnBars(canvas: Canvas, bars: readonly Bar[], most: number): Html {
  const width = canvas.width - 20
  return html`${bars.map((bar, index) => {
    const share = bar.of === 0 ? 0 : bar.failed / bar.of
    const place = { x: 10, y: index * row + 20, height: 14 }
    return html`<text class="name" ${attributes({ x: 10, y: index * row + 14 })}
        >${bar.what}: ${shareText(bar)} (${bar.failed} of ${bar.of})</text
      ><rect class="whole" ${attributes({ ...place, width })} /> ${
        share === 0
          ? raw('')
          : html`<rect class="failed" ${attributes({ ...place, width: Math.round((share / most) * width) })} />`
      }`
  })}`
}
