import { existsSync } from 'node:fs'

// Whoever read the output is gone, as with `npm start | head`: there is no reason to go on.
process.stdout.on('error', () => process.exit())

if (existsSync(new URL('../../node_modules/piscina', import.meta.url))) {
  // Not imported above: without the dependencies it cannot even be loaded.
  const { tellStory } = await import('./story.ts')
  await tellStory()
} else {
  console.error('The dependencies are not installed. Run `npm ci` first, then `npm start` again.')
  process.exitCode = 1
}
