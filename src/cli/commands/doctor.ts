import { exitCodes } from '../exit-codes.ts'
import { doctor } from '../../engine/doctor/doctor.ts'
import { command } from '../command.ts'
import { examineService } from '../wiring/examine-service.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { doctorText } from '../render/doctor-text.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'doctor',
      'check keys, permissions, clock, store, and doors of the old accounts that are still open; change nothing',
    ],
  ],
  formats: ['text', 'json'],
  pages: true,
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async (project) => {
      const accounts = await doctor(project.context, { localNow: Math.floor(Date.now() / 1_000) })
      const findings = [...accounts.findings, ...(await examineService(project, shell))]
      const result = { ok: findings.every(({ status }) => status !== 'failed'), findings }
      if (shell.format === 'json') shell.json(result)
      else shell.out(doctorText(result, shell.paint))
      return result.ok ? exitCodes.fine : exitCodes.error
    })
  },
})
