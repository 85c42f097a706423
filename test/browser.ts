// Chromium for the tests: on Linux x64 the one that comes through npm, elsewhere an installed one.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from 'playwright-core'

export const desktop = { viewport: { width: 1280, height: 800 } }
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** `errors` gathers what any page of the context threw or wrote to the console as an error. */
export type Visit = { page: Page; context: BrowserContext; errors: string[] }

const patience = 10_000
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
  // Nothing but this machine has a name: a page that needs the network shows an error.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]

// The package's own names the directories of a cloud function.
const fontSettings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fonts</cachedir></fontconfig>
`

// One for the file, since each file of tests is a process; every test has its own context.
let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())
// Playwright answers this by closing the browser only, and a test that hangs would go on.
process.once('SIGTERM', () => process.exit(143))

export async function openBrowser(
  t: TestContext,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  browser ??= chromium.launch({ headless: true, args: flags, ...whichBrowser() })
  const context = await (await browser).newContext({ ...desktop, locale: 'en-US', ...options })
  t.after(() => context.close())
  context.setDefaultTimeout(patience)

  const errors: string[] = []
  context.on('weberror', (thrown) => errors.push(String(thrown.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`)
  })
  return { page: await context.newPage(), context, errors }
}

function whichBrowser(): LaunchOptions {
  const installed = process.env.CHROME_PATH
  if (installed) return { executablePath: installed }
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' }
  const directory = unpack()
  return {
    executablePath: join(directory, 'chromium'),
    env: {
      ...process.env,
      // The few libraries a bare Debian lacks, and one font, so that text is as wide everywhere.
      LD_LIBRARY_PATH: join(directory, 'al2023', 'lib'),
      FONTCONFIG_FILE: join(directory, 'fonts', 'local.conf'),
      XDG_CACHE_HOME: join(directory, 'cache'),
    },
  }
}

/** Kept beside the packages, so that it is unpacked once (two seconds) and goes with them. */
function unpack(): string {
  const entry = import.meta.resolve('@sparticuz/chromium')
  const source = dirname(dirname(fileURLToPath(entry)))
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(source, 'package.json'), 'utf8'),
  )
  const cache = join(dirname(dirname(source)), '.cache')
  const directory = join(cache, `chromium-${version}`)
  if (existsSync(directory)) return directory

  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'chromium-'))
  try {
    // The package unpacks to the temporary directory, its libraries only when in a cloud function.
    const script = `import chromium from '${entry}'; await chromium.executablePath()`
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
    })
    writeFileSync(join(staging, 'fonts', 'local.conf'), fontSettings)
    renameSync(staging, directory)
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    // Another file of tests may have been quicker.
    if (!existsSync(directory)) throw error
  }
  return directory
}
