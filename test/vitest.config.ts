import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const report = process.env['CROSSBILL_TEST_REPORT']

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    setupFiles: ['test/conformance/watch-every-sandbox.ts'],
    // One worker a core: the default keeps one core free, which is half of a machine with two.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
