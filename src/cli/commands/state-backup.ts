import { resolve } from 'node:path'
import { writeBackup } from '../../files/backup.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { loadProject } from '../wiring/catalog.ts'
import { withStore } from '../wiring/project.ts'

export const main = command({
  positionals: { file: { type: 'string', describe: 'file to write; it must not exist' } },
  options: {},
  examples: [
    [
      'state backup state/2026-11-30.backup',
      'copy the store while commands and the service use it; the copy holds no secrets and no e-mail addresses',
    ],
  ],
  formats: ['text', 'json'],
  async run({ file = '' }, shell) {
    const { catalog } = await loadProject(shell, 'accounts')
    return await withStore(catalog.project, shell, async (store) => {
      await writeBackup(resolve(shell.project, file), store.backup())
      if (shell.format === 'json') shell.json({ file })
      else shell.out(`The store was copied to ${file}.`)
      return exitCodes.fine
    })
  },
})
