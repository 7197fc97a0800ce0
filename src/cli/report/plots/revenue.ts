import { html, type Html } from '../../../core/html.ts'
import { money } from '../../render/words.ts'
import type { Evidence, Place } from '../evidence.ts'
import { attributes, drawn, type Canvas } from './canvas.ts'

const row = 44
const stages: readonly Place[] = ['settled', 'moved', 'source']

/** One bar for each currency, divided by the stage of those who pay it. */
export function revenueByStage(monthly: Evidence['monthly'], places: ReadonlyMap<string, Place>): Html {
  const sums = new Map<string, Map<Place, number>>()
  for (const [key, { amount, currency }] of monthly) {
    const of = sums.get(currency) ?? new Map<Place, number>()
    const place = places.get(key) ?? 'source'
    if (place === 'ended') continue
    sums.set(currency, of.set(place, (of.get(place) ?? 0) + amount))
  }
  const all = [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
  return drawn((canvas) => ({ height: Math.max(1, all.length) * row, content: bars(canvas, all) }))
}

function bars(canvas: Canvas, all: readonly (readonly [string, ReadonlyMap<Place, number>])[]): Html {
  const width = canvas.width - 20
  return html`${all.map(([currency, of], index) => {
    const whole = [...of.values()].reduce((sum, amount) => sum + amount, 0)
    let left = 10
    const parts = stages.map((stage) => {
      const amount = of.get(stage) ?? 0
      const part = { stage, amount, left, width: whole === 0 ? 0 : Math.round((amount / whole) * width * 10) / 10 }
      left += part.width
      return part
    })
    return html`<text class="name" ${attributes({ x: 10, y: index * row + 14 })}
        >${money(whole, currency)} a month</text
      >
      ${parts
        .filter((part) => part.width > 0)
        .map(
          (part) =>
            html`<rect
              class="${part.stage}"
              ${attributes({ x: part.left, y: index * row + 20, width: part.width, height: 14 })}
            >
              <title>${part.stage}: ${money(part.amount, currency)}</title>
            </rect>`,
        )}`
  })}`
}
