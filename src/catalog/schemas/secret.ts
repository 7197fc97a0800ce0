import Type, { type TSchema } from 'typebox'
import { closed } from '../../kinds/schema.ts'

/** A reference to a secret; files never hold the secret itself. */
export const secretRefSchema: TSchema = Type.Union(
  [
    closed({ env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }),
    closed({ file: Type.String({ minLength: 1 }) }),
    closed({ command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) }),
  ],
  {
    description:
      'Where to read the secret: { env: NAME }, { file: PATH } or { command: [program, argument] }. Never the secret itself',
  },
)
