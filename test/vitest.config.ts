import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const report = process.env['CROSSBILL_TEST_REPORT']

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    setupFiles: ['test/conformance/watch-every-sandbox.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
