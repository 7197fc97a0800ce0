import { join } from 'node:path'
import { refuseTaken, writeOutput, type Output } from '../../files/outputs.ts'
import { schemaFolder } from '../../pull/files.ts'
import { schemaKind, schemaNames, schemaOf, type ProjectKeys, type SchemaName } from '../schemas.ts'

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
    'target-mappings': ['catalog/mappings/target.yaml'],
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

/**
 * Writes the JSON Schema of each kind of file into a folder. @returns their paths
 * @throws CommandError `out_taken`
 */
export async function writeSchemas(
  folder: string,
  {
    names = schemaNames,
    keys,
  }: { readonly names?: readonly SchemaName[]; readonly keys?: ProjectKeys | undefined } = {},
): Promise<readonly string[]> {
  const outputs = schemaOutputs(folder, names)
  await refuseTaken(outputs)
  for (const { name, ...output } of outputs)
    await writeOutput(output, `${JSON.stringify(schemaOf(name, keys), null, 2)}\n`)
  return outputs.map(({ path }) => path)
}

/** Called before a command begins that writes schemas. @throws CommandError `out_taken` */
export async function refuseTakenSchemas(folder: string): Promise<void> {
  await refuseTaken(schemaOutputs(folder, schemaNames))
}

function schemaOutputs(
  folder: string,
  names: readonly SchemaName[],
): readonly (Output & { readonly name: SchemaName })[] {
  return names.map((name) => ({ name, path: join(folder, `${name}.schema.json`), kind: schemaKind }))
}
