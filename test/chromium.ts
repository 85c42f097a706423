// Chromium: on Linux x64 the one that comes through npm, elsewhere an installed one.
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
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

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

/** Starts a browser that knows no machine but this one. */
export const launchChromium = (...more: string[]): Promise<Browser> =>
  chromium.launch({ headless: true, args: [...flags, ...more], ...whichBrowser() })

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
