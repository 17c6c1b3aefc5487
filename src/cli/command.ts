import type { Ending } from './endings.ts'
import { parse } from './parse.ts'
import type { Shell } from './shell.ts'

/** Something that is written on the command line, and how it is read. */
export interface Value<T> {
  /** What stands for it in help texts, such as `SECONDS`. */
  readonly name: string
  readonly help: string
  /** @throws UsageError that says what would be right. What it is about is put in front. */
  read(text: string): T
}

/** An argument that may be left out. */
export interface OptionalValue<T> extends Value<T> {
  readonly optional: true
}

/** An option that is given or not. */
export interface Flag {
  readonly flag: true
  readonly help: string
}

/** By their names, in the order in which they are written and told. */
export type Parameters = Record<string, Value<unknown> | OptionalValue<unknown>>
/** By their names without the dashes, in the order in which they are told. */
export type Options = Record<string, Value<unknown> | Flag>

/** What was given, by the same names. */
export type Given<P extends Parameters, O extends Options> = {
  [K in keyof P]: P[K] extends OptionalValue<infer T> ? T | undefined : P[K] extends Value<infer T> ? T : never
} & {
  [K in keyof O]?: O[K] extends Value<infer T> ? T : true
}

/** One of the program's commands, as help texts tell of it. */
export interface CommandFacts<P extends Parameters = Parameters, O extends Options = Options> {
  readonly name: string
  /** One line. */
  readonly summary: string
  readonly parameters: P
  readonly options: O
  /** What else is to be known, in paragraphs. */
  readonly details: readonly string[]
  readonly examples: readonly string[]
}

interface CommandDefinition<P extends Parameters, O extends Options> extends CommandFacts<P, O> {
  run(given: Given<P, O>, shell: Shell): Promise<Ending>
}

export interface Command extends CommandFacts {
  /** @throws UsageError when what is written after its name is wrong. */
  execute(written: readonly string[], shell: Shell): Promise<Ending>
}

export function defineCommand<P extends Parameters, O extends Options>(definition: CommandDefinition<P, O>): Command {
  const { run, ...facts } = definition
  return { ...facts, execute: async (written, shell) => run(parse(facts, written), shell) }
}
