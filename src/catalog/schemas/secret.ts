import Type, { type TSchema } from 'typebox'
import { closed } from '../../kinds/schema.ts'

/** A secret is named, never written. */
export const secretRefSchema: TSchema = Type.Union(
  [
    closed({ env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }),
    closed({ file: Type.String({ minLength: 1 }) }),
    closed({ command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) }),
  ],
  {
    description:
      'Where the secret is found: { env: NAME }, { file: PATH } or { command: [program, argument] }. Never the secret itself',
  },
)
