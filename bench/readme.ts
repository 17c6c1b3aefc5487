// Writes the figures and the picture of the README from the results of the last run: `npm run bench && npm run bench:readme`.
import { readFileSync, writeFileSync } from 'node:fs'
import { CASES } from './cases/cases.ts'
import { pictureOfReadme, withFigures } from './report/readme.ts'
import { readResults } from './report/results.ts'

const ROOT = new URL('../', import.meta.url)
const README = new URL('README.md', ROOT)
/** Seen from the README. */
const PICTURE = 'bench/speed.svg'

const results = readResults()
if (results.effort === 'short')
  console.warn('these results are of a short run; the README is to show those of a full one')
const readme = withFigures(readFileSync(README, 'utf8'), PICTURE, results, CASES)
writeFileSync(new URL(PICTURE, ROOT), pictureOfReadme(results, CASES))
writeFileSync(README, readme)
