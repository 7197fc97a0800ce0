import { html, raw, type Html } from '../html.ts'

/**
 * Where a plot is drawn, in SVG units. A plot is drawn twice, since text in a scaled picture is not
 * readable on a phone: the style sheet shows `wide` from 40rem on and on paper, `narrow` below.
 */
export interface Canvas {
  readonly kind: 'wide' | 'narrow'
  readonly width: number
  /** How many labels the time axis has room for. */
  readonly labels: number
}

const canvases: readonly Canvas[] = [
  { kind: 'wide', width: 960, labels: 10 },
  { kind: 'narrow', width: 360, labels: 5 },
]

/** The same plot for both widths. `draw` returns the content and the height that it needs. */
export function drawn(draw: (canvas: Canvas) => { readonly height: number; readonly content: Html }): Html {
  return html`${canvases.map((canvas) => {
    const { height, content } = draw(canvas)
    return html`<svg
      class="plot ${canvas.kind}"
      viewBox="0 0 ${canvas.width} ${height}"
      xmlns="http://www.w3.org/2000/svg"
      aria-hidden="true"
    >
      ${content}
    </svg>`
  })}`
}

/** Maps a span of numbers to a span of units. An empty span maps to its start. */
export function linear(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  const factor = to === from ? 0 : (end - start) / (to - from)
  return (value) => Math.round((start + (value - from) * factor) * 10) / 10
}

/**
 * Attributes of an element: names are written here, values are numbers and names of this folder.
 */
export function attributes(values: Readonly<Record<string, number | string>>): Html {
  return raw(
    Object.entries(values)
      .map(([name, value]) => `${name}="${value}"`)
      .join(' '),
  )
}
