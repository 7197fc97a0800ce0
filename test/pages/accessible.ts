import axe from 'axe-core'
import type { Page } from 'playwright-core'

/**
 * What axe-core finds on a page (WCAG 2.2 AA and good practice), one line for each rule. The page's
 * own policy forbids scripts; the browser's debugger runs this one.
 */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  return await page.evaluate<readonly string[]>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
      violations.map(({ id, help, nodes }) => id + ': ' + help + ' (' + nodes.map(({ target }) => target.join(' ')).join(', ') + ')'))`,
  )
}
