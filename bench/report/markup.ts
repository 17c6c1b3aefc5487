/** Text that is markup, of HTML or SVG. */
export interface Markup {
  markup: string
}

type Part = string | number | Markup | readonly Markup[]

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template in which only what was made by another one, or by `raw`, is markup; all else is text. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return raw(String.raw({ raw: strings }, ...parts.map(markupOf)))
}

export function raw(text: string): Markup {
  return { markup: text }
}

function markupOf(part: Part): string {
  if (typeof part === 'string') return part.replaceAll(/[&<>"']/gu, (character) => ESCAPES[character] ?? character)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(markupOf).join('')
}
