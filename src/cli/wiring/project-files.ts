import { schemaFolder } from '../../pull/files.ts'
import { schemaNames, schemaOf, type ProjectKeys } from '../schemas.ts'

const ignored = ['state/*.db*', 'state/*.lock', 'report/', '.env', '.env.*', 'node_modules/']

/** `.gitignore` with the lines that a project needs. Existing lines stay. */
export function gitignoreText(written: string | undefined): string {
  const lines = (written ?? '').split('\n')
  const missing = ignored.filter((line) => !lines.includes(line) && !lines.includes(`/${line}`))
  if (missing.length === 0) return written ?? ''
  const before = written === undefined || written.trim() === '' ? '' : `${written.trimEnd()}\n\n`
  return `${before}# Crossbill: the store, reports and secrets stay on this machine.\n${missing.join('\n')}\n`
}

/** Editor settings that give each YAML file its schema by its path. */
export function editorSettings(): string {
  const places: Readonly<Record<string, readonly string[]>> = {
    project: ['catalog/project.yaml'],
    access: ['catalog/access.yaml'],
    externals: ['catalog/externals.yaml'],
    mappings: ['catalog/mappings/*.yaml', '!catalog/mappings/target.yaml'],
    subscribers: ['catalog/subscribers/**/*.yaml'],
    resources: ['catalog/*.yaml', '!catalog/project.yaml', '!catalog/access.yaml', '!catalog/externals.yaml'],
  }
  const settings = {
    'yaml.schemas': Object.fromEntries(
      Object.entries(places).map(([name, globs]) => [`./${schemaFolder}/${name}.schema.json`, globs]),
    ),
    'yaml.format.enable': false,
    'files.associations': { 'catalog/**/*.yaml': 'yaml' },
  }
  return `${JSON.stringify(settings, null, 2)}\n`
}

/** The JSON Schema of each kind of file, by its path in the project. */
export function schemaFiles(keys?: ProjectKeys): readonly (readonly [path: string, text: string])[] {
  return schemaNames.map((name) => [
    `${schemaFolder}/${name}.schema.json`,
    `${JSON.stringify(schemaOf(name, keys), null, 2)}\n`,
  ])
}
