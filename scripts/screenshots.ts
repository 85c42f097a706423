// Takes the pictures of the README: the todo page, light and dark, on a desktop and on a phone.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { johnDoe, withDemo } from './demo.ts'

const directory = resolve(import.meta.dirname, '../docs/images')
const sizes = {
  desktop: { viewport: { width: 1100, height: 760 } },
  phone: { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true },
}

await mkdir(directory, { recursive: true })
await withDemo(async (url, browser) => {
  for (const [size, options] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ ...options, colorScheme, deviceScaleFactor: 2 })
      const page = await context.newPage()
      await page.goto(`${url}/login`)
      await page.getByLabel('E-mail address').fill(johnDoe.username)
      await page.getByLabel('Password').fill(johnDoe.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL('**/home')
      // Once more, without the greeting.
      await page.reload({ waitUntil: 'networkidle' })
      await page.screenshot({ path: join(directory, `todos-${size}-${colorScheme}.png`) })
      await context.close()
    }
  }
})
