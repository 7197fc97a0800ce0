import Type from 'typebox'
import { schemaOf } from '../core/exact-schema.ts'
import { closed } from '../kinds/schema.ts'

/**
 * A reference to a secret: an environment variable, a file or the output of a command. Files never
 * hold the secret itself.
 */
export type SecretRef = { readonly env: string } | { readonly file: string } | { readonly command: readonly string[] }

export const secretRefSchema = schemaOf<SecretRef>()(
  Type.Union(
    [
      closed({ env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }),
      closed({ file: Type.String({ minLength: 1 }) }),
      closed({ command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) }),
    ],
    {
      description:
        'Where to read the secret: { env: NAME }, { file: PATH } or { command: [program, argument] }. Never the secret itself',
    },
  ),
)
