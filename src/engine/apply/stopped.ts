import { CommandError } from '../../core/outcome.ts'
import { doneHere, type RunChanges } from './this-run.ts'

/** What a run did until it stopped. */
export interface DoneSoFar extends RunChanges {
  /** Requests that may have changed something, sent by the recovery of earlier work. */
  readonly sentByRecovery: number
  /** The same, sent afterwards, for the plan. */
  readonly sentByPlan: number
}

/** An apply that stopped after it had sent requests: why it stopped, and what it did until then. */
export class ApplyStopped extends CommandError {
  override name = 'ApplyStopped'
  readonly done: DoneSoFar
  constructor(cause: CommandError, done: DoneSoFar) {
    super(cause.code, cause.message, { notDone: notDone(done), fix: cause.fix, cause })
    this.done = done
  }
}

function notDone(done: DoneSoFar): string {
  // The recovery may have finished what this plan wanted as well.
  const recovery = 'the recovery of earlier work sent requests'
  if (done.sentByPlan === 0) return `${recovery}, and the rest of this plan was not sent`
  const before = done.sentByRecovery === 0 ? '' : `${recovery}; `
  return doneHere({ ...done, recovered: [] }).length > 0
    ? `${before}the rest of this plan was not sent`
    : `${before}requests of this plan were sent, and none of its changes was finished`
}
