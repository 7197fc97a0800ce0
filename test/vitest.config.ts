import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const report = process.env['CROSSBILL_TEST_REPORT']

/**
 * Folders whose tests change nothing that another file reads: no environment, no replaced module,
 * no global. Their files share the modules of a worker, which saves a third of the time. Every
 * other file, new folders included, has modules of its own.
 */
const together = ['billing', 'cancel', 'catalog', 'core', 'engine', 'handover', 'kinds', 'live', 'plan', 'stripe'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
)

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    setupFiles: ['test/conformance/watch-every-sandbox.ts'],
    // One worker a core: the default keeps one core free, which is half of a machine with two.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'together', isolate: false, include: together } },
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: together } },
    ],
  },
})
