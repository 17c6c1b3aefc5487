import { readFileSync } from 'node:fs'

/** The colours, in light and in dark, and what plots look like. */
export const PLOT_STYLE = readStyle('plot.css')

export function readStyle(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}
