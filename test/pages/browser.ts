import { chromium, type Browser, type Page } from 'playwright-core'
import { findChromium } from '../chromium.ts'

export const executablePath = findChromium()

if (executablePath === undefined)
  process.stderr.write('pages: skipped, no Chromium found (apt-get install chromium, or set CROSSBILL_CHROMIUM)\n')

export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('no Chromium')
  return chromium.launch({ executablePath, chromiumSandbox: false })
}

/**
 * A page on one device. `problems` collects the errors of the browser and every request to another
 * host.
 */
export async function openPage(
  browser: Browser,
  options: { width: number; javaScript?: boolean },
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({
    viewport: { width: options.width, height: 800 },
    javaScriptEnabled: options.javaScript ?? true,
  })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => void problems.push(String(error)))
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    const own = protocol === 'file:' || protocol === 'data:' || hostname === '127.0.0.1'
    if (!own) problems.push(`asked the network for ${request.url()}`)
  })
  return { page, problems }
}

/** Whether the page is wider than the screen that shows it. */
export async function overflows(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth')
}
