// Builds what `npm start` runs, into dist/, as far as it is not there and fresh: what the pages load,
// and the server. With --pages only that, which is enough to run the sources.
import { buildPages } from './build/pages.ts'
import { buildServer } from './build/server.ts'

if ((await buildPages()) === 'built') console.log('Built what the pages load.')
if (!process.argv.includes('--pages') && (await buildServer()) === 'built') {
  console.log('Built the server.')
}
