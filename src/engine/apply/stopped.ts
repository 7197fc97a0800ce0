import { CommandError } from '../../core/outcome.ts'
import type { AppliedChange } from '../send/applied.ts'

export interface DoneSoFar {
  /** What the recovery at the start finished or undid. */
  readonly recovered: readonly AppliedChange[]
  readonly changes: readonly AppliedChange[]
}

/** An apply that stopped after it had sent requests: why it stopped, and what it did until then. */
export class ApplyStopped extends CommandError {
  override name = 'ApplyStopped'
  readonly done: DoneSoFar
  constructor(cause: CommandError, done: DoneSoFar) {
    const notDone =
      done.changes.length > 0
        ? 'the rest of this plan was not sent'
        : done.recovered.length > 0
          ? 'nothing of this plan was sent; the recovery of earlier work before it sent requests'
          : 'no change of this plan was finished; requests were sent'
    super(cause.code, cause.message, { notDone, fix: cause.fix, cause })
    this.done = done
  }
}
