// The packed package has no scripts, development packages or workspaces: nothing runs on the
// machine of a user when it is installed. `prepack` cuts package.json, `postpack` restores it.
// After an interrupted pack, `git restore package.json` does the same.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

const manifest = new URL('../package.json', import.meta.url)
const original = new URL('../node_modules/.package.json.unpacked', import.meta.url)
const kept = ['name', 'version', 'private', 'description', 'license', 'bin', 'files', 'type', 'dependencies', 'engines']

if (process.argv[2] === 'cut') {
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(original, text)
  const all = JSON.parse(text)
  writeFileSync(manifest, `${JSON.stringify(Object.fromEntries(kept.map((key) => [key, all[key]])), null, 2)}\n`)
} else if (existsSync(original)) renameSync(original, manifest)
