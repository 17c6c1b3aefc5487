import { REFERENCE, type ContenderName } from '../contenders/contenders.ts'
import type { Case, Figure } from '../harness/case.ts'
import { listOfVersions } from './facts.ts'
import { pictureOf } from './picture.ts'
import { plotHeight, plotOf } from './plot.ts'
import type { Results } from './results.ts'
import { formatFigure, noiseOf, rowsOf, type Row } from './rows.ts'

/** What stands between these in the README is made here. */
const BEGIN = '<!-- figures: made by `npm run bench:readme` -->'
const END = '<!-- /figures -->'

/** A case and one of its figures. */
type Shown = readonly [name: string, figure: string]

const PICTURE: readonly Shown[] = [
  ['in-flight-64', 'rate'],
  ['one-at-a-time', 'p50'],
]
const TABLE: readonly Shown[] = [
  ['one-at-a-time', 'p50'],
  ['one-at-a-time', 'p99'],
  ['in-flight-64', 'rate'],
  ['in-flight-1024', 'rate'],
  ['small-object', 'rate'],
  ['copied-buffer', 'rate'],
  ['moved-buffer', 'rate'],
  ['cpu-bound-10ms', 'makespan'],
  ['one-slow', 'p99'],
  ['start-up', 'first'],
]
/** By the heads of their columns. */
const COLUMNS: Readonly<Record<string, ContenderName>> = {
  coatcheck: 'coatcheck call',
  Piscina: 'piscina',
  tinypool: 'tinypool threads',
  workerpool: 'workerpool thread',
  poolifier: 'poolifier',
  'jest-worker': 'jest-worker',
  '`postMessage`': 'postMessage',
}
const PLOTTED = new Set<ContenderName>([...Object.values(COLUMNS), 'coatcheck start'])

type Cases = Readonly<Record<string, Case>>

interface Found {
  /** Of the case. */
  title: string
  figure: Figure
  rows: readonly Row[]
}

/**
 * The README with new figures in place of those that it has.
 *
 * @param picture where the picture is, seen from the README.
 */
export function withFigures(readme: string, picture: string, results: Results, cases: Cases): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`the README has no place for figures: \`${BEGIN}\`, then \`${END}\``)
  const shown = PICTURE.map((each) => titleOf(find(each, results, cases))).join('; ')
  const parts = [BEGIN, `![${shown}](${picture})`, tableOf(results, cases), sourceOf(results, cases), END]
  return readme.slice(0, begin) + parts.join('\n\n') + readme.slice(end + END.length)
}

/** As an SVG file. */
export function pictureOfReadme(results: Results, cases: Cases): string {
  const plots = PICTURE.map((each) => {
    const found = find(each, results, cases)
    const rows = found.rows.filter(({ contender }) => PLOTTED.has(contender))
    return { plot: plotOf({ ...found.figure, title: titleOf(found) }, rows), height: plotHeight(rows.length) }
  })
  return pictureOf('What calls cost, beside other pools', plots)
}

function tableOf(results: Results, cases: Cases): string {
  const names = Object.keys(COLUMNS)
  const rows = TABLE.map((each) => {
    const found = find(each, results, cases)
    const figures = Object.values(COLUMNS).map((name) => {
      const row = found.rows.find(({ contender }) => contender === name)
      return row ? formatFigure(row.median) : ''
    })
    return [`${titleOf(found)}, ${found.figure.unit}`].concat(figures)
  })
  const lines = [['', ...names], ['---', ...names.map(() => '---:')], ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Where the figures come from, and how far they can be relied on. */
function sourceOf(results: Results, cases: Cases): string {
  const { processors, processor, node, commit, date, versions } = results.machine
  const where = `${processors} × ${processor}, Node ${node.replace('v', '')}, ${date.slice(0, 'yyyy-mm-dd'.length)}, commit ${commit}`
  const noise = Math.max(...TABLE.map((each) => noiseOf(find(each, results, cases).rows) ?? 0))
  return `Measured on ${where}, with ${listOfVersions(versions)}. coatcheck, measured twice, differs from itself by up to ${(noise * 100).toFixed(0)} % here.`
}

function find([name, key]: Shown, results: Results, cases: Cases): Found {
  const figure = cases[name]?.figures[key]
  if (!cases[name] || !figure) throw new Error(`there is no figure ${key} of a case ${name}`)
  const measured = results.cases[name]
  if (!measured) throw new Error(`the README shows ${name}, which was not measured; \`npm run bench\` measures all`)
  const { title, reference = REFERENCE } = cases[name]
  return { title, figure, rows: rowsOf(measured, key, figure, reference) }
}

function titleOf({ title, figure }: Found): string {
  return `${title}: ${figure.title}`
}
