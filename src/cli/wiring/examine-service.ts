import type { Access } from '../../catalog/schemas/access.ts'
import type { DoctorFinding } from '../../engine/finding.ts'
import { examineKajabi } from '../../engine/inbox/examine.ts'
import { connectKajabi } from './connect-kajabi.ts'
import type { OpenProject } from './project.ts'
import { hookAddress, publicUrl } from './service-secrets.ts'
import type { Shell } from '../shell.ts'

/** Seconds within which the service should answer from outside. */
const reachSeconds = 5

/** The findings of doctor on the Kajabi site and the cancel service, when the project has them. */
export async function examineService(
  { context, sandbox }: OpenProject,
  shell: Shell,
): Promise<readonly DoctorFinding[]> {
  const { project, access } = context.catalog
  const kajabi = await connectKajabi(project.kajabi, sandbox, shell)
  const hooks = await hookAddress(project.serve, shell)
  const reached = project.serve?.public_url !== undefined ? publicUrl(project.serve) : undefined
  return [
    ...(kajabi === undefined ? [] : await examineKajabi(kajabi, access as Partial<Access>, hooks)),
    ...(reached === undefined ? [] : [await examineReach(reached)]),
  ]
}

async function examineReach(url: string): Promise<DoctorFinding> {
  const found = { check: 'service_reachable', fix: '' }
  try {
    const answer = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(reachSeconds * 1_000), redirect: 'error' })
    await answer.arrayBuffer()
    if (answer.ok) return { ...found, status: 'ok', message: `the cancel service answers at ${url}` }
    return {
      ...found,
      status: 'warning',
      message: `${url}/livez answers ${answer.status}`,
      fix: 'start "crossbill serve" behind this address',
    }
  } catch {
    return {
      ...found,
      status: 'warning',
      message: `no service answers at ${url}`,
      fix: 'start "crossbill serve", and check serve.public_url and the proxy in front of the service',
    }
  }
}
