import Type, { type TSchema } from 'typebox'
import { closed } from './schema.ts'

/** Where to store a signing secret, which Stripe returns once. */
export const secretSinkSchema: TSchema = Type.Union(
  [
    closed({ env_file: Type.String({ minLength: 1 }), name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }),
    closed({ file: Type.String({ minLength: 1 }) }),
    closed({ command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) }),
  ],
  {
    description:
      'Where to store the signing secret, which Stripe returns once: { env_file: .env, name: NAME }, { file: PATH } or { command: [program, argument] } (on its standard input)',
  },
)
