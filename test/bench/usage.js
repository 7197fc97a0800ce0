// Loaded into a command that the bench measures: at its end it writes its processor time
// (milliseconds) and its maximum of resident memory (MiB) to the file CROSSBILL_BENCH_USAGE.
import { writeFileSync } from 'node:fs'

const file = process.env.CROSSBILL_BENCH_USAGE
if (file !== undefined)
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const processor = (userCPUTime + systemCPUTime) / 1_000
    writeFileSync(file, JSON.stringify({ processor, memory: Math.round(maxRSS / 1_024) }))
  })
