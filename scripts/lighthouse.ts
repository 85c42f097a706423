// Runs Lighthouse on the pages in the local Chromium, and prints the table of docs/benchmarks.md.
import lighthouse, { desktopConfig } from 'lighthouse'
import { johnDoe, withDemo } from './demo.ts'
import { freePort } from '../test/free-port.ts'

const CATEGORIES = ['performance', 'accessibility', 'best-practices'] as const
const RUNS = 3

async function sessionCookie(url: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams(johnDoe),
    redirect: 'manual',
  })
  const cookie = answer.headers.getSetCookie().find((each) => each.startsWith('session='))
  if (!cookie) throw new Error(`Signing in was answered by ${answer.status}.`)
  return cookie.split(';', 1)[0] ?? ''
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const port = await freePort()
const lines: string[] = []
await withDemo(async (url) => {
  const Cookie = await sessionCookie(url)
  for (const path of ['/login', '/home']) {
    for (const form of ['mobile', 'desktop'] as const) {
      const scores: number[][] = []
      for (let run = 0; run < RUNS; run++) {
        const result = await lighthouse(
          `${url}${path}`,
          {
            port,
            onlyCategories: [...CATEGORIES],
            logLevel: 'error',
            ...(path === '/home' ? { extraHeaders: { Cookie } } : {}),
          },
          form === 'desktop' ? desktopConfig : undefined,
        )
        if (!result) throw new Error('Lighthouse gave nothing.')
        const { lhr } = result
        if (new URL(lhr.finalDisplayedUrl).pathname !== path)
          throw new Error(`${path} led elsewhere.`)
        scores.push(
          CATEGORIES.map((category) => Math.round((lhr.categories[category]?.score ?? 0) * 100)),
        )
        for (const audit of Object.values(lhr.audits)) {
          if (audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode === 'binary')
            console.error(`${path} ${form}: ${audit.id}: ${audit.title}`)
        }
      }
      const medians = CATEGORIES.map((_, index) => median(scores.map((each) => each[index] ?? 0)))
      lines.push(`| \`${path}\` | ${form} | ${medians.join(' | ')} |`)
    }
  }
}, `--remote-debugging-port=${port}`)
console.log(`| Page | As on a | Performance | Accessibility | Best practices |
| --- | --- | --- | --- | --- |
${lines.join('\n')}`)
