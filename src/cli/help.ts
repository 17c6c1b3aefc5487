import { wrap } from '../terminal/wrap.ts'
import type { Command, Flag, Options, Value } from './command.ts'
import { EXIT_STATUSES } from './endings.ts'
import { isFlag, usageOf } from './parse.ts'

const WIDTH = 100
const GAP = 2

/** What `coatcheck --help` says. */
export function programHelp(commands: readonly Command[]): string {
  return sections(
    ['coatcheck: run functions on this or another host, and come back for what is not done in time'],
    ['Usage:', '  coatcheck COMMAND ...', '  coatcheck COMMAND --help', '  coatcheck --version'],
    [
      'Commands:',
      ...columns(commands.map(({ name, parameters, summary }) => [`${name} ${usageOf(parameters)}`, summary])),
    ],
    ['Exit status:', ...columns(EXIT_STATUSES)],
  )
}

/** What `coatcheck COMMAND --help` says. */
export function commandHelp({ name, summary, parameters, options, details, examples }: Command): string {
  return sections(
    [`coatcheck ${name}: ${summary}`],
    ['Usage:', `  coatcheck ${name} ${usageOf(parameters)} [OPTIONS]`],
    titled('Arguments:', columns(Object.values(parameters).map((each) => [each.name, each.help]))),
    titled('Options:', columns(rowsOf(options))),
    ...details.map((paragraph) => wrap(paragraph, WIDTH)),
    titled(
      'Examples:',
      examples.map((example) => `  ${example}`),
    ),
  )
}

function rowsOf(options: Options): [string, string][] {
  const term = (name: string, option: Value<unknown> | Flag): string =>
    isFlag(option) ? `--${name}` : `--${name} ${option.name}`
  return Object.entries(options).map(([name, option]) => [term(name, option), option.help])
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines]
}

function sections(...each: readonly (readonly string[])[]): string {
  return `${each
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

/** Terms on the left, and what they mean on the right. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.max(0, ...rows.map(([term]) => term.length)) + 2 * GAP
  return rows.flatMap(([term, meaning]) =>
    wrap(meaning, WIDTH - left).map((line, i) => (i === 0 ? `  ${term}` : '').padEnd(left) + line),
  )
}
