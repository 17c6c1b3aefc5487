import { REFERENCE } from '../contenders/contenders.ts'
import type { Case, Figure } from '../harness/case.ts'
import type { Machine } from '../harness/machine.ts'
import type { Measured } from '../harness/rounds.ts'
import { markup, raw, type Markup } from './markup.ts'
import { factsOf } from './facts.ts'
import { plotOf } from './plot.ts'
import { PLOT_STYLE, readStyle } from './style.ts'
import { formatFigure, formatRatio, noiseOf, rowsOf, type Row } from './rows.ts'
import type { Verdict } from './verdict.ts'

export interface Section {
  /** The name by which the case is asked for. */
  name: string
  case: Case
  measured: readonly Measured[]
}

export interface Page {
  machine: Machine
  sections: readonly Section[]
  /** Of the goals whose cases were measured. */
  verdicts: readonly Verdict[]
}

const STYLE = PLOT_STYLE + readStyle('page.css')

/** Results as one HTML file that needs no other. */
export function pageOf({ machine, sections, verdicts }: Page): string {
  const { markup: page } = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>coatcheck: what calls cost</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
<h1>What calls cost</h1>
${headOf(machine, sections)}
<nav aria-label="Cases"><ul>${sections.map(({ name }) => markup`<li><a href="#${name}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${verdicts.length > 0 ? goalsOf(verdicts) : ''}${sections.map(sectionOf)}
</main>
</body>
</html>
`
  return page
}

function headOf(machine: Machine, sections: readonly Section[]): Markup {
  const rounds = Math.max(...sections.map(({ measured }) => measured[0]?.rounds.length ?? 0))
  const facts = Object.entries(factsOf(machine)).map(([what, fact]) => markup`<dt>${what}</dt><dd>${fact}</dd>`)
  return markup`<p>Every contender ran in a process of its own, in ${rounds === 1 ? 'one round' : `each of ${rounds} rounds`}.
A bar is the median of the rounds, and the line through its end spans all of them. Beside the figure stands how many
times that of ${REFERENCE} it is, or of another that the table names. The plain call within the process is in the tables
only.</p>
<dl>${facts}</dl>
<p>Again: <code>npm run bench</code>, or one case: <code>npm run bench -- ${sections[0]?.name ?? ''}</code></p>`
}

function goalsOf(verdicts: readonly Verdict[]): Markup {
  const rows = verdicts.map(({ mark, figure, against, ratio, limit, isMet }) => {
    const bound = figure.better === 'lower' ? 'at most' : 'at least'
    return markup`
<tr><td class="${isMet ? 'met' : 'missed'}">${isMet ? 'met' : 'not met'}</td>
<th scope="row"><a href="#${mark.case}">${mark.case}</a></th><td>${figure.title} of ${mark.contender}</td>
<td>${bound} ${formatRatio(limit)} ×</td><td>${formatRatio(ratio)} × ${against}</td></tr>`
  })
  return markup`<section id="goals">
<h2>Goals</h2>
<div class="wide" role="region" aria-label="Goals" tabindex="0"><table>
<thead><tr><th scope="col">goal</th><th scope="col">case</th><th scope="col">figure</th><th scope="col">should be</th>
<th scope="col">is</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`
}

function sectionOf({ name, case: { title, figures, reference = REFERENCE }, measured }: Section): Markup {
  const columns = Object.entries(figures).map(([key, figure]) => ({
    figure,
    rows: rowsOf(measured, key, figure, reference),
  }))
  const plots = columns.map(({ figure, rows }) =>
    plotOf(
      figure,
      rows.filter(({ contender }) => contender !== 'in process'),
    ),
  )
  return markup`<section id="${name}">
<h2>${title}</h2>
<div class="plots">${plots}</div>
${noiseLine(columns)}
<div class="wide" role="region" aria-label="${title}" tabindex="0"><table>
<caption>Median of the rounds, and the least and the most of them</caption>
<thead><tr><th scope="col">contender</th>${columns.map(
    ({ figure }) => markup`<th scope="col" class="number">${figure.title}, ${figure.unit}</th>`,
  )}<th scope="col" class="number">of ${reference}'s</th></tr></thead>
<tbody>${columns[0]?.rows.map((row) => tableRow(row, columns)) ?? []}</tbody>
</table></div>
</section>
`
}

interface Column {
  figure: Figure
  rows: readonly Row[]
}

function noiseLine(columns: readonly Column[]): Markup | '' {
  const shares = columns.flatMap(({ figure, rows }) => {
    const noise = noiseOf(rows)
    return noise === undefined ? [] : [`${(noise * 100).toFixed(1)} % (${figure.title})`]
  })
  if (shares.length === 0) return ''
  return markup`<p>Noise: coatcheck <code>call</code>, measured twice, differs from itself by ${shares.join(', ')}.
Differences no larger than that say nothing.</p>`
}

function tableRow({ contender, ratio }: Row, columns: readonly Column[]): Markup {
  const cells = columns.map(({ rows }) => {
    const row = rows.find((each) => each.contender === contender)
    if (!row) return markup`<td></td>`
    const spread = `${formatFigure(row.least)} to ${formatFigure(row.most)}`
    return markup`<td class="number">${formatFigure(row.median)} <small>${spread}</small></td>`
  })
  const kind = contender.startsWith('coatcheck') ? 'own' : 'other'
  return markup`
<tr class="${kind}"><th scope="row">${contender}</th>${cells}<td class="number">${formatRatio(ratio)}</td></tr>`
}
