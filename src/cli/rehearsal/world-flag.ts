import { readWorldText, type Unsure } from '../../sandbox/kernel/unsure.ts'
import { UsageError } from '../usage-error.ts'

/** The behaviour of Stripe that a flag chooses: `name=value …`, or `random:SEED`. */
export function worldOf(flag: string, text: string): Unsure {
  const read = readWorldText(text)
  if ('wrong' in read)
    throw new UsageError(
      'not-a-world',
      `${flag}: ${read.wrong}`,
      'docs/sandbox.md lists the switches and their values.',
    )
  return read.world
}
