import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentHtml, nameOf, wholeHtml } from '../../src/cli/report/document.ts'
import { packet } from '../../src/cli/report/packet.ts'
import { evidence } from '../cli/report/evidence.ts'
import { barriers } from './accessible.ts'
import { executablePath, inBrowser, overflows } from './browser.ts'

describe.skipIf(executablePath === undefined)('the evidence packet in a browser', { timeout: 240_000 }, () => {
  const open = inBrowser()
  const documents = packet(evidence())
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-report-'))
    for (const one of documents) writeFileSync(join(folder, `${one.slug}.html`), documentHtml(one, documents))
    writeFileSync(join(folder, 'evidence.html'), wholeHtml('all', documents))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([...documents.map(({ slug }) => slug), 'evidence'])(
    '%s fits a phone and a desk, asks no network and is accessible',
    async (slug) => {
      for (const width of [390, 1_280]) {
        const { page, problems } = await open(`file://${folder}/${slug}.html`, { width })
        expect(await overflows(page)).toBe(false)
        expect(problems).toEqual([])
        expect(await barriers(page)).toEqual([])
        await page.emulateMedia({ colorScheme: 'dark' })
        expect(await barriers(page)).toEqual([])
      }
    },
  )

  it('leads from the cover to each document with one click, and back', async () => {
    const { page } = await open(`file://${folder}/index.html`, { width: 390, javaScript: false })
    for (const one of documents.slice(1)) {
      const { slug } = one
      await page
        .locator('main table')
        .getByRole('link', { name: nameOf(one), exact: true })
        .click()
      expect(page.url()).toContain(`/${slug}.html`)
      await page.getByRole('link', { name: 'Overview' }).click()
    }
  })
})
