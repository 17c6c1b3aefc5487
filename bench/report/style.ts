import { readFileSync } from 'node:fs'

/** The colours, in light and in dark, and what plots look like. */
export const PLOT_STYLE = readStyle('plot.css')

const LIGHT = /:root \{[^}]*\}/
const DARK = /@media \(prefers-color-scheme: dark\) \{\s*(:root \{[^}]*\})\s*\}/
const COLOUR = /--([\w-]+): (#\w+);/g

/** The same with each colour where it is used: not all that shows SVG files knows what a CSS variable is. */
export function withoutVariables(style: string): string {
  const [dark = '', ofDark = ''] = DARK.exec(style) ?? []
  const [light = ''] = LIGHT.exec(style) ?? []
  const rules = style.replace(dark, '').replace(light, '')
  return `${coloured(rules, light)}@media (prefers-color-scheme: dark) {\n${coloured(rules, ofDark)}}\n`
}

function coloured(rules: string, colours: string): string {
  const values = new Map(Array.from(colours.matchAll(COLOUR), ([, name, value]) => [name, value]))
  return rules.trimStart().replace(/var\(--([\w-]+)\)/g, (whole, name: string) => values.get(name) ?? whole)
}

export function readStyle(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}
