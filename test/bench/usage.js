// Loaded into a command that the bench measures: at its end it writes its processor time
// (milliseconds), its maximum of resident memory (MiB) and the number of its requests to the file
// CROSSBILL_BENCH_USAGE.
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'

const file = process.env.CROSSBILL_BENCH_USAGE
let requests = 0
subscribe('undici:request:create', () => {
  requests += 1
})
if (file !== undefined)
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const processor = (userCPUTime + systemCPUTime) / 1_000
    writeFileSync(file, JSON.stringify({ processor, memory: Math.round(maxRSS / 1_024), requests }))
  })
