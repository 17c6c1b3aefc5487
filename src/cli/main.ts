import { createRequire } from 'node:module'
import { COMMANDS } from './commands.ts'
import { DONE, FAILED, WRONG_USAGE, type Ending } from './endings.ts'
import { commandHelp, programHelp } from './help.ts'
import { tellError } from './report.ts'
import type { Shell } from './shell.ts'
import { UsageError } from './errors.ts'
import { quote } from './values.ts'

/** Does what is written on the command line, after the program's name. */
export async function main(written: readonly string[], shell: Shell): Promise<Ending> {
  try {
    return await run(written, shell)
  } catch (error) {
    tellError(shell, error)
    return error instanceof UsageError ? WRONG_USAGE : FAILED
  }
}

async function run([name, ...rest]: readonly string[], shell: Shell): Promise<Ending> {
  if (name === '--version') return tell(shell, `${version()}\n`)
  if (name === '--help' || name === '-h') return tell(shell, programHelp(COMMANDS))
  if (name === 'help') return tell(shell, rest[0] === undefined ? programHelp(COMMANDS) : commandHelp(find(rest[0])))
  const command = find(name)
  if (asksForHelp(rest)) return tell(shell, commandHelp(command))
  return command.execute(rest, shell)
}

function find(name: string | undefined) {
  const command = COMMANDS.find((each) => each.name === name)
  if (command) return command
  const right = `the commands are ${COMMANDS.map((each) => each.name).join(', ')}; coatcheck --help tells of them`
  throw new UsageError(
    name === undefined ? `a command is missing; ${right}` : `there is no command ${quote(name)}; ${right}`,
  )
}

function asksForHelp(written: readonly string[]): boolean {
  const end = written.indexOf('--')
  return written.slice(0, end === -1 ? undefined : end).some((word) => word === '--help' || word === '-h')
}

function tell({ stdout }: Shell, text: string): Ending {
  stdout.write(text)
  return DONE
}

function version(): string {
  const { version: own } = createRequire(import.meta.url)('../../package.json') as { version: string }
  return own
}
