import { deepEqual, doesNotMatch, equal, match, ok, throws } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SaxesParser } from 'saxes'
import { CASES } from '../../bench/cases/cases.ts'
import { pictureOfReadme, withFigures } from '../../bench/report/readme.ts'
import type { Results } from '../../bench/report/results.ts'
import { MACHINE, measured } from './sample.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** Of all cases, each figure the same for all contenders. */
const results: Results = {
  machine: MACHINE,
  effort: 'full',
  cases: Object.fromEntries(
    Object.entries(CASES).map(([name, { contenders, figures }]) => {
      const all = Object.fromEntries(Object.keys(figures).map((key) => [key, 4_711]))
      return [name, contenders.map((contender) => measured(contender, all))]
    }),
  ),
}

test('the README has a place for the figures, and all around it stays', () => {
  const begin = '<!-- figures: made by `npm run bench:readme` -->'
  const written = withFigures(readme, 'speed.svg', results, CASES)
  ok(written.startsWith(readme.slice(0, readme.indexOf(begin))))
  ok(written.endsWith(readme.slice(readme.indexOf('<!-- /figures -->'))))
  match(written, /!\[A no-op, 64 in flight: rate[^\]]*\]\(speed.svg\)/u)
  match(written, /\| A no-op, one at a time: p50, µs \| 4,711 \|/u)
  equal(withFigures(written, 'speed.svg', results, CASES), written)
})

test('a README without a place for them is left alone', () => {
  throws(() => withFigures('# coatcheck', 'speed.svg', results, CASES), /has no place for figures/u)
})

test('figures that were not measured are not made up', () => {
  throws(
    () => withFigures(readme, 'speed.svg', { ...results, cases: {} }, CASES),
    /in-flight-64, which was not measured/u,
  )
})

test('a contender that takes no part in a case has an empty cell', () => {
  const line = withFigures(readme, 'speed.svg', results, CASES)
    .split('\n')
    .find((each) => each.includes('made and moved'))
  deepEqual(line?.split('|').slice(7, 8), ['  '])
})

test('the picture is an SVG file that loads nothing and fits light and dark', () => {
  const picture = pictureOfReadme(results, CASES)
  new SaxesParser().write(picture).close()
  deepEqual(picture.match(/https?:[^"]*/gu), ['http://www.w3.org/2000/svg'])
  match(picture, /prefers-color-scheme: dark/u)
  // Not all that shows SVG files knows CSS variables, without which all would be black.
  doesNotMatch(picture, /var\(/u)
  match(picture, /\.own \.bar \{\s*fill: #/u)
})
