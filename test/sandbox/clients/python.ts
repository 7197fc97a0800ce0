import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Where `CROSSBILL_CLIENTS=1` installs the Python library; not in the repository. */
const folder = fileURLToPath(new URL('../../../node_modules/.clients-python', import.meta.url))

/**
 * A Python that has the `stripe` library: the one that `CROSSBILL_PYTHON` names, the system's, or
 * one in `node_modules`, into which `CROSSBILL_CLIENTS=1` installs it. Otherwise the reason for
 * none.
 */
export function pythonWithStripe(): { readonly python: string } | { readonly missing: string } {
  const installed = `${folder}/bin/python`
  for (const python of [process.env['CROSSBILL_PYTHON'] ?? '', installed, 'python3'])
    if (python !== '' && runs(python, ['-c', 'import stripe'])) return { python }
  if (!runs('python3', ['--version'])) return { missing: 'there is no python3' }
  if (process.env['CROSSBILL_CLIENTS'] !== '1')
    return { missing: 'the Python library stripe is not installed; CROSSBILL_CLIENTS=1 installs it' }
  const done = runs('python3', ['-m', 'venv', folder]) && runs(installed, ['-m', 'pip', 'install', '-q', 'stripe'])
  return done ? { python: installed } : { missing: 'the Python library stripe could not be installed' }
}

function runs(program: string, words: readonly string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore', timeout: 120_000 })
    return true
  } catch {
    return false
  }
}
