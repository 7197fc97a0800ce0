import type { Diagnostic } from '../core/diagnostic.ts'
import { error } from './rule-names.ts'

export const noProject = error(
  'missing-project',
  'there is no catalog/project.yaml',
  'run crossbill init, or name the folder with --project',
  undefined,
)

export function unknownFile(path: string): Diagnostic {
  const message = `catalog/${path} is not a file that Crossbill reads`
  const fix = 'put sections directly below catalog/, mappings in mappings/<source>.yaml, waves in subscribers/<source>/'
  const at = { file: path, line: 1, column: 1 }
  return error('unknown-file', message, fix, at)
}
