import { resolve } from 'node:path'
import { readBackup } from '../../files/backup.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { plural } from '../render/words.ts'
import { loadProject } from '../wiring/catalog.ts'
import { withStore } from '../wiring/project.ts'

export const main = command({
  positionals: { file: { type: 'string', describe: 'a file that state backup wrote' } },
  options: {},
  examples: [
    ['state restore state/2026-11-30.backup', 'fill an empty store, whichever database the backup was made from'],
  ],
  formats: ['text', 'json'],
  async run({ file = '' }, shell) {
    const { catalog } = await loadProject(shell, 'accounts')
    return await withStore(catalog.project, shell, async (store) => {
      const rows = await store.restore(readBackup(resolve(shell.project, file)))
      if (shell.format === 'json') shell.json({ file, rows })
      else shell.out(`Restored ${plural(rows, 'row')}. Run crossbill plan: it shows what changed since the backup.`)
      return exitCodes.fine
    })
  },
})
