import { exitCodes } from '../exit-codes.ts'
import { command } from '../command.ts'
import { printPlan } from '../report/print-plan.ts'
import { readPlan } from '../wiring/plan-file.ts'

export const main = command({
  positionals: { file: { type: 'string', demandOption: true, describe: 'a plan that plan --out saved' } },
  options: {},
  examples: [
    ['show plans/wave-01.plan.json', 'print a saved plan'],
    ['show plans/wave-01.plan.json --format html > plan.html', 'write one HTML file, which is readable on a phone'],
  ],
  formats: ['text', 'json', 'markdown', 'html'],
  pages: true,
  async run({ file }, shell) {
    await printPlan(await readPlan(shell.existing(file)), shell)
    return exitCodes.fine
  },
})
