import { markup, raw, type Markup } from './markup.ts'
import { PLOT_WIDTH } from './plot.ts'
import { PLOT_STYLE, withoutVariables } from './style.ts'

const GAP = 32

const STYLE = withoutVariables(`${PLOT_STYLE}.paper {\n  fill: var(--paper);\n}\n`)

/** Plots side by side, as an SVG file. It brings its ground: it is shown on pages of any colour. */
export function pictureOf(title: string, plots: readonly { plot: Markup; height: number }[]): string {
  const width = GAP + plots.length * (PLOT_WIDTH + GAP)
  const height = Math.max(...plots.map((each) => each.height)) + 2 * GAP
  const placed = plots.map(
    ({ plot }, i) => markup`
  <g transform="translate(${GAP + i * (PLOT_WIDTH + GAP)} ${GAP})">${plot}
  </g>`,
  )
  const { markup: picture } =
    markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
  <title>${title}</title>
  <style>
${raw(STYLE)}</style>
  <rect class="paper" width="100%" height="100%" rx="8"/>${placed}
</svg>
`
  return picture
}
