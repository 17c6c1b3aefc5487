import { parseArgs } from 'node:util'
import type { CommandFacts, Flag, Given, Options, Parameters, Value } from './command.ts'
import { UsageError } from './errors.ts'
import { quote } from './values.ts'

/**
 * Reads what is written after a command's name.
 *
 * Node's own parser takes it apart. What it finds is checked here, so that each message says what would be right.
 */
export function parse<P extends Parameters, O extends Options>(
  { name, parameters, options }: CommandFacts<P, O>,
  written: readonly string[],
): Given<P, O> {
  const types = Object.entries(options).map(
    ([option, value]) => [option, { type: isFlag(value) ? 'boolean' : 'string' }] as const,
  )
  const { tokens } = parseArgs({
    args: [...written],
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given: Record<string, unknown> = {}
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind === 'option') given[token.name] = readOption(name, options, token)
  }
  Object.assign(given, readPositionals(name, parameters, positionals))
  return given as Given<P, O>
}

interface OptionToken {
  name: string
  /** As it was written, with its dashes. */
  rawName: string
  value?: string | undefined
  /** Whether the value is part of the same word, as in `--port=1811`. */
  inlineValue?: boolean | undefined
}

function readOption(command: string, options: Options, { name, rawName, value, inlineValue }: OptionToken): unknown {
  const option = Object.hasOwn(options, name) && rawName.startsWith('--') ? options[name] : undefined
  if (!option) {
    const known = Object.keys(options).map((each) => `--${each}`)
    const right = known.length === 0 ? 'it has none' : `its options are ${known.join(', ')}`
    throw new UsageError(`${command} has no option ${quote(rawName)}; ${right}`)
  }
  if (isFlag(option)) {
    if (value === undefined) return true
    throw new UsageError(`${rawName} takes no value: write it alone, without ${quote(`=${value}`)}`)
  }
  if (value === undefined || (!inlineValue && isOptionLike(value))) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.name}`)
  }
  return readValue(rawName, option, value)
}

function readPositionals(command: string, parameters: Parameters, written: readonly string[]): object {
  const given: Record<string, unknown> = {}
  const names = Object.entries(parameters)
  for (const [i, [name, parameter]] of names.entries()) {
    const text = written[i]
    if (text !== undefined) given[name] = readValue(parameter.name, parameter, text)
    else if (!('optional' in parameter)) {
      throw new UsageError(`${parameter.name} is missing: coatcheck ${command} ${usageOf(parameters)}`)
    }
  }
  const extra = written[names.length]
  if (extra === undefined) return given
  throw new UsageError(`there is one argument too many, ${quote(extra)}: coatcheck ${command} ${usageOf(parameters)}`)
}

function readValue(where: string, value: Value<unknown>, text: string): unknown {
  try {
    return value.read(text)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${where} ${error.message}`) : error
  }
}

/** The arguments of a command, as help texts show them: `URL FN [ARGS]`. */
export function usageOf(parameters: Parameters): string {
  return Object.values(parameters)
    .map((parameter) => ('optional' in parameter ? `[${parameter.name}]` : parameter.name))
    .join(' ')
}

export function isFlag(option: Value<unknown> | Flag): option is Flag {
  return 'flag' in option
}

/** A number below 0 is none. */
function isOptionLike(text: string): boolean {
  return /^-[^\d.]/.test(text)
}
