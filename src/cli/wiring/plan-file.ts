import { digest } from '../../core/canonical.ts'
import { isJsonObject } from '../../core/json.ts'
import { linedJson, readLinedJson } from '../../core/json-text.ts'
import { CommandError } from '../../core/outcome.ts'
import { gzipped, readText } from '../../files/gzip.ts'
import { documentWith, refuseTaken, writeOutput, type Output, type OutputKind } from '../../files/outputs.ts'
import { parsePlan } from '../../plan/document.ts'
import type { Plan } from '../../plan/types.ts'
import { isSystemError } from '../report-error.ts'

/**
 * Reads a saved plan and checks that it is unchanged: its digest covers its whole content.
 * @throws CommandError `plan_unreadable`, `plan_format`, `plan_altered`
 */
export async function readPlan(path: string): Promise<Plan> {
  const document = await readDocument(path)
  if (!isJsonObject(document) || document['format'] !== 1 || typeof document['plan'] !== 'string')
    throw new CommandError('plan_format', `${path} is not a plan of this version`, {
      notDone: 'nothing was done',
      fix: again,
    })
  const { plan: written, ...rest } = document
  if (digest(rest) !== written)
    throw new CommandError(
      'plan_altered',
      `${path} was changed after it was saved: its digest does not match its content`,
      {
        notDone: 'nothing was done',
        fix: again,
      },
    )
  const parsed = parsePlan(document)
  if ('value' in parsed) return parsed.value
  throw new CommandError('plan_format', `${path} is not a plan of this version: ${parsed.problem}`, {
    notDone: 'nothing was done',
    fix: again,
  })
}

/** A saved plan; only such a file is replaced by another plan. */
export const planKind: OutputKind = { ...documentWith('a plan', 'created', 'expires'), ends: ['.json', '.json.gz'] }

const reviewKind: OutputKind = {
  what: 'the review of a plan',
  isOne: (text) => text.startsWith('## Crossbill: '),
}

/** The files of a saved plan: `wave-01.plan.json`, and `wave-01.md` for review. */
function planOutputs(path: string): readonly [plan: Output, review: Output] {
  const review = `${path.replace(/(\.plan)?\.json(\.gz)?$/, '')}.md`
  return [
    { path, kind: planKind },
    { path: review, kind: reviewKind },
  ]
}

/**
 * Called before a plan is made.
 * @throws CommandError as `refuseTaken`
 */
export async function refuseTakenPlan(path: string): Promise<void> {
  await refuseTaken(planOutputs(path), 'no plan was made')
}

/** A plan with more changes (about 35 MB) is read by programs alone, so it is saved compressed. */
const changesUncompressed = 10_000

/**
 * Saves the plan as JSON, and a Markdown file for review beside it. A large plan, or one whose name
 * ends in `.gz`, is compressed; a reader sees that by the content, so the name stays as given.
 * @returns both paths
 * @throws CommandError `out_taken` when another file has one of the names
 */
export async function savePlan(path: string, plan: Plan): Promise<string[]> {
  const { planMarkdown } = await import('../render/plan-markdown.ts')
  const outputs = planOutputs(path)
  await refuseTaken(outputs)
  const compresses = path.endsWith('.gz') || plan.changes.length > changesUncompressed
  await writeOutput(outputs[0], compresses ? gzipped(linedJson(plan)) : linedJson(plan))
  await writeOutput(outputs[1], `${planMarkdown(plan)}\n`)
  return outputs.map((one) => one.path)
}

const make = 'crossbill plan --out FILE'
const again = `Make a new plan: ${make}`

const isMissing = (error: unknown): boolean => isSystemError(error) && error.code === 'ENOENT'

function unreadable(error: unknown): string {
  if (isMissing(error)) return 'does not exist'
  return isSystemError(error) ? `cannot be read (${error.code})` : 'cannot be read'
}

/** Reads line by line, as Crossbill writes plans; as a whole when another tool reformatted it. */
async function readDocument(path: string): Promise<unknown> {
  try {
    return (await readLinedJson(linesOf(path))) ?? JSON.parse(await textOf(path))
  } catch (error) {
    const wrong = error instanceof SyntaxError
    throw wrong
      ? new CommandError('plan_format', `${path} is not JSON`, {
          notDone: 'nothing was done',
          fix: again,
          cause: error,
        })
      : new CommandError('plan_unreadable', `the plan ${path} ${unreadable(error)}`, {
          notDone: 'nothing was done',
          fix: isMissing(error)
            ? `Check the spelling of the path and the folder from which you run the command, or make a plan: ${make}`
            : again,
          cause: error,
        })
  }
}

async function textOf(path: string): Promise<string> {
  let text = ''
  for await (const chunk of readText(path)) text += chunk
  return text
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of readText(path)) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
