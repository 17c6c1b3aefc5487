import type { Command } from './command.ts'
import { call } from './commands/call.ts'
import { cancel } from './commands/cancel.ts'
import { demo } from './commands/demo.ts'
import { ls } from './commands/ls.ts'
import { serve } from './commands/serve.ts'
import { top } from './commands/top.ts'
import { wait } from './commands/wait.ts'

/** In the order in which help texts tell them. */
export const COMMANDS: readonly Command[] = [serve, call, wait, ls, cancel, top, demo]
