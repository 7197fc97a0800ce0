import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findChromium } from '../chromium.ts'

export const executablePath = findChromium()

if (executablePath === undefined)
  process.stderr.write('pages: skipped, no Chromium found (apt-get install chromium, or set CROSSBILL_CHROMIUM)\n')

interface Device {
  readonly width: number
  readonly javaScript?: boolean
}

interface Opened {
  readonly page: Page
  /** Errors of the browser, and every request to another host. */
  readonly problems: readonly string[]
  /** The HTTP status of the page; undefined for a file. */
  readonly status: number | undefined
}

/** For the tests of one `describe`: a browser, and a function that opens an address in it. */
export function inBrowser(): (address: string, device: Device) => Promise<Opened> {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (executablePath === undefined) throw new Error('no Chromium')
    browser = await chromium.launch({ executablePath, chromiumSandbox: false })
  })
  afterAll(() => browser?.close())
  return async (address, device) => {
    if (browser === undefined) throw new Error('the browser opens before the first test')
    const { page, problems } = await openPage(browser, device)
    const status = (await page.goto(address))?.status()
    return { page, problems, status }
  }
}

/** As above, for one HTML document in a file. */
export function documentInBrowser(html: () => string): (device: Device) => Promise<Opened> {
  const open = inBrowser()
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-page-'))
    writeFileSync(join(folder, 'page.html'), html())
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  return (device) => open(`file://${folder}/page.html`, device)
}

async function openPage(browser: Browser, { width, javaScript = true }: Device): Promise<Omit<Opened, 'status'>> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, javaScriptEnabled: javaScript })
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
