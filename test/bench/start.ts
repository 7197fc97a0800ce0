import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { milliseconds, percentile, type Figure } from './figure.ts'

const launcher = fileURLToPath(new URL('../../src/bin/crossbill.js', import.meta.url))

/** How long `--help` takes; the first run fills Node's compile cache and is not counted. */
export function start(): Figure {
  const runs = Array.from({ length: 12 }, () => {
    const begin = performance.now()
    execFileSync(process.execPath, [launcher, '--help'], { stdio: 'ignore' })
    return performance.now() - begin
  }).slice(1)
  const [least, median] = [Math.min(...runs), percentile(runs, 0.5)]
  return {
    what: 'start of the CLI (--help), median of 11',
    reach: '≤ 110 ms',
    measured: `${milliseconds(median)}, the fastest ${milliseconds(least)}`,
    ok: median <= 110,
  }
}
