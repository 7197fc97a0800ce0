import { Worker } from 'node:worker_threads'

/** Pages of the log at which a commit moves it into the database after all, should the thread not keep up: 80 MB. */
export const patientCheckpoint = 20_000

/** What could not be moved stays in the log, which is as durable; a full disk is met, and said, by the next commit. */
const thread = `
  const { DatabaseSync } = require('node:sqlite')
  const { parentPort, workerData } = require('node:worker_threads')
  const file = new DatabaseSync(workerData)
  const timer = setInterval(() => {
    try {
      file.exec('pragma wal_checkpoint(passive)')
    } catch {}
  }, 500)
  parentPort.once('message', () => {
    clearInterval(timer)
    file.close()
  })`

/**
 * Moves the write-ahead log into the database in a thread of its own. SQLite does so within some commit otherwise, and whoever waits for that one, and everything
 * else in this process, stands still for two more flushes of the disk. A passive checkpoint is in nobody's way.
 * @see https://www.sqlite.org/wal.html#ckpt
 */
export function checkpointBeside(path: string): { stop(): Promise<void> } {
  const worker = new Worker(thread, { eval: true, workerData: path, execArgv: [] })
  worker.unref()
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve())
    // Without it commits do it as ever.
    worker.once('error', () => resolve())
  })
  return {
    async stop() {
      worker.ref()
      worker.postMessage('stop')
      await ended
    },
  }
}
