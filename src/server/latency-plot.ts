import { html, type Html } from '../core/html.ts'

const width = 320
const height = 80
/** The line that no cancel should reach, in milliseconds. */
const goal = 2_000

/**
 * The latencies of the last cancels, oldest at the left, as bars with the goal as a line. It has no
 * script and no style of its own, because the page's policy allows none.
 */
export function latencyPlot(milliseconds: readonly number[]): Html {
  if (milliseconds.length === 0) return html``
  const highest = Math.max(goal * 1.25, ...milliseconds)
  const step = width / Math.max(milliseconds.length, 20)
  const up = (value: number): number => Math.max(1, Math.round((value / highest) * height))
  const bars = milliseconds.map((one, index) => {
    const x = (index * step).toFixed(1)
    const tall = up(one)
    return html`<rect
      x="${x}"
      y="${height - tall}"
      width="${(step * 0.7).toFixed(1)}"
      height="${tall}"
      fill="currentColor"
    ></rect>`
  })
  const line = height - up(goal)
  const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`
  const label = `Latency of the last ${milliseconds.length} cancels: from ${seconds(Math.min(...milliseconds))} to ${seconds(Math.max(...milliseconds))}; the line is at ${seconds(goal)}.`
  return html`<svg
    viewBox="0 0 ${width} ${height + 2}"
    width="100%"
    height="${height}"
    role="img"
    aria-label="${label}"
    preserveAspectRatio="none"
  >
    ${bars}
    <line x1="0" x2="${width}" y1="${line}" y2="${line}" stroke="currentColor" stroke-dasharray="4 4"></line>
  </svg>`
}
