/**
 * Text that came from elsewhere, as a terminal may have it: control characters are shown by their codes, as they would be
 * obeyed. Line breaks and tabs stay.
 */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, codeOf)
}

function codeOf(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
