import { exitCodes } from '../exit-codes.ts'
import { command } from '../command.ts'
import { writeSchemas } from '../wiring/project-files.ts'
import { projectKeys } from '../wiring/project-keys.ts'
import { schemaNames, schemaOf } from '../schemas.ts'

export const main = command({
  positionals: {
    file: { type: 'string', choices: schemaNames, describe: 'kind of file; default: all kinds' },
  },
  options: {
    keys: {
      type: 'boolean',
      default: false,
      describe: 'complete references from the keys of the catalog; --project has the same effect',
    },
    out: { type: 'string', requiresArg: true, describe: 'write <kind>.schema.json files into this folder' },
  },
  examples: [
    ['schema subscribers', 'print the JSON Schema of a wave file'],
    [
      'schema --out .schemas',
      'write all schemas for an editor; a YAML file names its schema: # yaml-language-server: $schema=../.schemas/resources.schema.json',
    ],
  ],
  formats: ['text', 'json'],
  async run({ file, out, keys: wantsKeys }, shell) {
    const keys = wantsKeys ? await projectKeys(shell) : undefined
    const names = schemaNames.filter((name) => file === undefined || name === file)
    if (out !== undefined) {
      const paths = await writeSchemas(shell.path(out), { names, keys })
      if (shell.format === 'json') shell.json({ written: paths })
      else shell.out(paths.map((path) => shell.near(path)).join('\n'))
      return exitCodes.fine
    }
    const [only] = names
    if (file !== undefined && only !== undefined) shell.json(schemaOf(only, keys))
    else shell.json(Object.fromEntries(names.map((name) => [name, schemaOf(name, keys)])))
    return exitCodes.fine
  },
})
