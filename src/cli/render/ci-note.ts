/**
 * The mark in the first line of the pull request's note and of the nightly issue. It is an HTML
 * comment that readers do not see. It identifies the text and binds a plan to its commit.
 */
export interface PlanMark {
  /** The digest of the plan that the note shows; absent when there is no plan to apply. */
  readonly digest?: string
  /** The newest commit of the pull request when the plan was made. */
  readonly commit: string
}

export function planMark(name: string): string {
  return `<!-- crossbill:plan ${name} `
}

export function nightMark(name: string): string {
  return `<!-- crossbill:night ${name} -->`
}

/** A note with its mark. `state` is a sentence above the plan. */
export function planNote(name: string, { digest, commit }: PlanMark, state: string, body: string): string {
  const bound = `commit=${commit}${digest === undefined ? '' : ` digest=${digest}`}`
  return [`${planMark(name)}${bound} -->`, state, body].filter((part) => part !== '').join('\n\n')
}

/** Reads a mark. Only the first line counts, because the rest contains foreign text. */
export function readPlanMark(name: string, body: string): PlanMark | undefined {
  const [first = ''] = body.split('\n')
  if (!first.startsWith(planMark(name))) return undefined
  const [, commit, digest] =
    /^commit=([0-9a-f]{7,64})(?: digest=([0-9a-f]{64}))? -->\s*$/.exec(first.slice(planMark(name).length)) ?? []
  return commit === undefined ? undefined : { commit, ...(digest === undefined ? {} : { digest }) }
}

const longestOutput = 20_000

/** The output of a command in a block, so that none of it becomes Markdown. */
export function outputBlock(title: string, text: string): string {
  const plain = text.trim().replaceAll(/^(`{3,})/gm, '\u200B$1')
  if (plain === '') return ''
  const shown = plain.length <= longestOutput ? plain : `${plain.slice(0, longestOutput)}\n…`
  return ['<details>', `<summary>${title}</summary>`, '', '```text', shown, '```', '', '</details>'].join('\n')
}
