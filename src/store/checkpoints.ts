import { Worker } from 'node:worker_threads'

/**
 * Size of the log (in pages, 80 MB) at which a commit moves it into the database if the thread does
 * not keep up.
 */
export const patientCheckpoint = 20_000

/**
 * Pages that could not be moved stay in the log, which is as durable. The next commit reports a
 * full disk.
 */
const thread = `
  // A thread does not inherit what the launcher does with the warning of node:sqlite.
  process.emitWarning = () => {}
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
 * Moves the write-ahead log into the database in a separate thread. Otherwise SQLite does this
 * within a commit, and the whole process waits for two more flushes of the disk. A passive
 * checkpoint blocks no one.
 * @see https://www.sqlite.org/wal.html#ckpt
 */
export function checkpointBeside(path: string): { stop(): Promise<void> } {
  const worker = new Worker(thread, { eval: true, workerData: path, execArgv: [] })
  worker.unref()
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve())
    // Without the thread, commits move the log as usual.
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
