import type { Progress } from '../engine/ports.ts'
import type { Surroundings } from './surroundings.ts'

export const silent: Progress = { start() {}, step() {}, note() {}, done() {} }

const millisecondsBetweenLines = 5_000
const millisecondsWorthAWord = 1_500

/**
 * Shows the progress of long work on stderr: a bar on a terminal, otherwise at most one plain line
 * every five seconds.
 */
export async function openProgress(surroundings: Surroundings, say: (text: string) => void): Promise<Progress> {
  return surroundings.stderr.isTTY === true ? await bar(surroundings, say) : lines(say)
}

interface Work {
  readonly what: string
  readonly total: number | undefined
  readonly since: number
  count: number
  told: number
}

function lines(say: (text: string) => void): Progress {
  let work: Work | undefined
  const tell = (at: Work): void => {
    at.told = Date.now()
    say(`${at.what}: ${describe(at)}`)
  }
  return {
    start(what, total) {
      work = { what, total, since: Date.now(), count: 0, told: Date.now() }
    },
    step(count = 1) {
      if (work === undefined) return
      work.count += count
      if (Date.now() - work.told >= millisecondsBetweenLines) tell(work)
    },
    note: say,
    done() {
      // Short work prints nothing.
      if (work !== undefined && work.count > 0 && Date.now() - work.since > millisecondsWorthAWord)
        say(`${work.what}: ${work.count} in ${Math.round((Date.now() - work.since) / 1_000)} s`)
      work = undefined
    },
  }
}

/** `412/2000, 96/s, 17 s left` */
function describe({ count, total, since }: Work): string {
  const seconds = secondsOf(since)
  const parts = [total === undefined ? String(count) : `${count}/${total}`]
  if (seconds >= 1) parts.push(rateOf({ count, since }))
  if (total !== undefined && count < total && count > 0)
    parts.push(`${Math.ceil(((total - count) * seconds) / count)} s left`)
  return parts.join(', ')
}

function secondsOf(since: number): number {
  return Math.max(0.001, (Date.now() - since) / 1_000)
}

function rateOf({ count, since }: Pick<Work, 'count' | 'since'>): string {
  const rate = count / secondsOf(since)
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`
}

async function bar(surroundings: Surroundings, say: (text: string) => void): Promise<Progress> {
  const { default: cliProgress } = await import('cli-progress')
  let shown: InstanceType<typeof cliProgress.SingleBar> | undefined
  let work: Work | undefined
  const rate = (): { rate: string } => ({ rate: work === undefined ? '' : rateOf(work) })
  const show = ({ what, total, count }: Work): void => {
    const format =
      total === undefined ? `${what}: {value}, {rate}` : `${what}: {bar} {value}/{total}, {rate}, {eta_formatted} left`
    shown = new cliProgress.SingleBar(
      {
        format,
        stream: surroundings.stderr as NodeJS.WriteStream,
        clearOnComplete: true,
        hideCursor: true,
        etaBuffer: 100,
      },
      cliProgress.Presets.shades_classic,
    )
    shown.start(total ?? 0, count, rate())
  }
  const end = (): void => {
    shown?.stop()
    shown = undefined
  }
  return {
    start(what, total) {
      end()
      work = { what, total, since: Date.now(), count: 0, told: Date.now() }
      show(work)
    },
    step(count = 1) {
      if (work === undefined) return
      work.count += count
      shown?.update(work.count, rate())
    },
    note(text) {
      end()
      say(text)
      if (work !== undefined) show(work)
    },
    done() {
      end()
      work = undefined
    },
  }
}
