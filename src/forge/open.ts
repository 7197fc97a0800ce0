import { readFile } from 'node:fs/promises'
import { type Json, type JsonObject, objectIn } from '../core/json.ts'
import type { Forge } from './forge.ts'
import { openGithub } from './github.ts'
import { openGitlab } from './gitlab.ts'
import type { Site } from './request.ts'

/** The forge whose CI runs this program, by the variables that it sets; undefined elsewhere. */
export async function openForge(
  env: Readonly<Record<string, string | undefined>>,
  wait: Site['wait'],
): Promise<Forge | undefined> {
  if (env['GITHUB_ACTIONS'] === 'true') {
    const path = env['GITHUB_EVENT_PATH']
    return openGithub({ env, event: path === undefined ? {} : await eventAt(path), wait })
  }
  return env['GITLAB_CI'] === 'true' ? openGitlab({ env, wait }) : undefined
}

async function eventAt(path: string): Promise<JsonObject> {
  const event = JSON.parse(await readFile(path, 'utf8')) as Json
  return objectIn(event)
}
