// The runner's totals as one line. Vitest's JSON calls a run with an unhandled error a success, and
// counts no test of a file that did not load. Both are failures here.
import { readFileSync } from 'node:fs'

const [report, status] = process.argv.slice(2)
let passed = 0
let failed = 0
let skipped = 0
try {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  passed = numPassedTests
  skipped = numPendingTests
  const brokenFiles = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  failed = numFailedTests + brokenFiles.length
} catch {
  // No report: the checks before the tests failed.
}
if (failed === 0 && status !== '0') failed = 1
if (skipped > 0) console.log(`(${skipped} skipped: the test output says which and why)`)
console.log(`${passed} passed, ${failed} failed`)
