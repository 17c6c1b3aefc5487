import { existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResolvedPermissions, ResolvedProcess } from '../../model/process-options.ts'
import { OWN_FOLDER } from '../../protocol/spawner-messages.ts'

// Next to this module in the package, with its extension: the same line works from src and from dist.
const PROGRAM = fileURLToPath(new URL(`../../host/process${extname(import.meta.url)}`, import.meta.url))

const MEGABYTE = 1_048_576

/** Whether the permission model of this Node keeps a process from the network. */
export const restrictsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net')

/** How Node is started for functions of a kind. */
export function nodeCommand(
  { execArgv, limits, permissions, env }: ResolvedProcess,
  functions: URL,
): { command: string[]; env: Record<string, string> } {
  const heap =
    limits.memory === undefined ? [] : [`--max-old-space-size=${Math.max(1, Math.floor(limits.memory / MEGABYTE))}`]
  const allowed = permissions ? permissionArguments(permissions, fileURLToPath(functions)) : []
  return { command: [process.execPath, ...heap, ...allowed, ...execArgv, PROGRAM], env }
}

function permissionArguments(permissions: ResolvedPermissions, module: string): string[] {
  const readable = new Set([...foldersOf(module), ...foldersOf(PROGRAM), ...permissions.read])
  return [
    '--permission',
    ...Array.from(readable, (path) => `--allow-fs-read=${path}`),
    ...[OWN_FOLDER, `${OWN_FOLDER}/*`].flatMap((path) => [`--allow-fs-read=${path}`, `--allow-fs-write=${path}`]),
    ...permissions.write.map((path) => `--allow-fs-write=${path}`),
    ...(permissions.childProcess ? ['--allow-child-process'] : []),
    ...(permissions.worker ? ['--allow-worker'] : []),
    ...(permissions.addons ? ['--allow-addons'] : []),
    ...(permissions.net && restrictsNetwork ? ['--allow-net'] : []),
  ]
}

/** The package that a module is of, and where its dependencies can be. */
function foldersOf(module: string): string[] {
  const folders: string[] = []
  let root: string | undefined
  for (let folder = dirname(module), above = ''; folder !== above; above = folder, folder = dirname(folder)) {
    if (root === undefined && existsSync(join(folder, 'package.json'))) root = folder
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) folders.push(join(modules, '*'))
    // Node looks for it on its way up.
    folders.push(join(folder, 'package.json'))
  }
  return [join(root ?? dirname(module), '*'), ...folders]
}
