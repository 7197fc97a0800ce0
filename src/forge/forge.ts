/**
 * The site that hosts the repository: its pull requests (merge requests in GitLab), their notes,
 * checks and files, and its issues.
 */
export interface Forge {
  readonly job: Job
  /** The newest commit of a pull request. */
  readonly headOf: (pull: number) => Promise<string>
  /** The first note that this program wrote with this mark. Notes of other authors do not count. */
  readonly note: (pull: number, mark: string) => Promise<Note | undefined>
  readonly writeNote: (pull: number, body: string, id: string | undefined) => Promise<void>
  /** The pull request whose merge brought this commit. */
  readonly mergedPull: (commit: string) => Promise<Pull | undefined>
  readonly checks: (commit: string) => Promise<readonly Check[]>
  /** The saved plan of the newest run for this commit. */
  readonly planFile: (commit: string) => Promise<Uint8Array | undefined>
  /** The open issue that this program wrote with this mark. */
  readonly issue: (mark: string) => Promise<Note | undefined>
  readonly writeIssue: (
    issue: { readonly title: string; readonly body: string },
    id: string | undefined,
  ) => Promise<void>
  readonly closeIssue: (id: string, body: string) => Promise<void>
}

/** The run of CI in which this program was started. */
interface Job {
  /** Absent outside of a pull request. */
  readonly pull?: Pull
  readonly commit: string
}

export interface Pull {
  readonly number: number
  /** Its newest commit, which the plan and the checks belong to. */
  readonly head: string
  readonly isFork: boolean
}

export interface Note {
  readonly id: string
  readonly body: string
}

export interface Check {
  readonly name: string
  readonly state: 'green' | 'red' | 'running'
}

/** Artifacts and jobs have this name in the files that `init --ci` writes. */
export const planArtifact = 'crossbill-plan'

/** The saved plan in a job's folder, and in its artifact. */
export const planPath = 'plans/ci.plan.json'
