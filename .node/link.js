// npm 10 loses node_modules/.bin/node when several optional packages offer that name (npm 11 does
// not). This puts it back, so that scripts and npx run on the Node that this repository brings. It
// runs as `prepare` and `pretest`.
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'

const modules = new URL('../node_modules/', import.meta.url)
const wanted = new URL('.bin/node', modules)
const brought = existsSync(modules)
  ? readdirSync(modules).find(
      (name) => /^node-(bin-)?(linux|darwin)-/.test(name) && existsSync(new URL(`${name}/bin/node`, modules)),
    )
  : undefined

if (process.platform !== 'win32' && brought !== undefined && !existsSync(wanted)) {
  mkdirSync(new URL('.bin/', modules), { recursive: true })
  if (lstatSync(wanted, { throwIfNoEntry: false })) rmSync(wanted)
  symlinkSync(`../${brought}/bin/node`, wanted)
}
