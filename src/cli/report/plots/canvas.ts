import { html, raw, type Html } from '../../../core/html.ts'

/**
 * The size of a plot in SVG units. A plot is drawn twice, because text in a scaled picture is not
 * readable on a phone: the style sheet shows `wide` from 40rem on and on paper, and `narrow` below.
 */
export interface Canvas {
  readonly kind: 'wide' | 'narrow'
  readonly width: number
  /** The number of labels for which the time axis has room. */
  readonly labels: number
}

const canvases: readonly Canvas[] = [
  { kind: 'wide', width: 960, labels: 10 },
  { kind: 'narrow', width: 360, labels: 5 },
]

/** Draws the same plot in both widths. `draw` returns the content and its height. */
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
 * Attributes of an element. They are not escaped: callers pass only constants and numbers.
 */
export function attributes(values: Readonly<Record<string, number | string>>): Html {
  return raw(
    Object.entries(values)
      .map(([name, value]) => `${name}="${value}"`)
      .join(' '),
  )
}
