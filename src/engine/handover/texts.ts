import { isJsonObject, type Json, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { textsIn } from '../../handover/live-values.ts'
import { accountNamed, type Context } from '../context.ts'
import type { Job } from './job.ts'
import { read } from '../send/perform.ts'

type Texts = ReadonlyMap<string, string | undefined>

/**
 * By hand-over, in memory only: a removed item cannot be read again, and its text is stored nowhere
 * else.
 */
const heard = new WeakMap<Job, Map<string, string | undefined>>()

/**
 * Reads the texts of the items and invoices that a hand-over carries, before the first of them is
 * removed. They may contain personal data, so they pass from account to account without entering a
 * plan or the journal. After a crash in between, an item arrives without its text. Undefined when
 * the texts cannot be read now.
 */
export async function readTexts(context: Context, job: Job): Promise<Texts | undefined> {
  const known = heard.get(job) ?? new Map<string, string | undefined>()
  heard.set(job, known)
  for (const path of job.handover.steps.flatMap(({ params }) => textsIn(params))) {
    if (known.has(path)) continue
    const text = await readText(context, path)
    if (!text.ok) return undefined
    known.set(path, text.value)
  }
  return known
}

async function readText(context: Context, path: string): Promise<Outcome<string | undefined>> {
  const [, account = '', list = '', id = '', line] = path.split('/')
  const answer = await read(context, accountNamed(context, account), `/v1/${list}/${id}`)
  if (!answer.ok) return answer.failure.code === 'resource_missing' ? success(undefined) : answer
  const about = line === undefined ? answer.value : lineOf(answer.value, line)
  return success(typeof about?.['description'] === 'string' ? about['description'] : undefined)
}

function lineOf({ lines }: StripeObject, id: string): Readonly<Record<string, Json | undefined>> | undefined {
  const data = isJsonObject(lines) ? lines['data'] : undefined
  return Array.isArray(data) ? data.filter(isJsonObject).find((one) => one['id'] === id) : undefined
}
