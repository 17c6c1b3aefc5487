export type LoadedFunction = (...args: unknown[]) => unknown

const NOT_FUNCTIONS = new Set(['default', 'module.exports'])

/** Imports a functions module. Its functions are its own exports that are functions, but for the default export. */
export async function loadFunctions(url: string): Promise<Map<string, LoadedFunction>> {
  const { module } = (await import(reexportOf(url))) as { module: Record<string, unknown> }
  const functions = new Map<string, LoadedFunction>()
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === 'function' && !NOT_FUNCTIONS.has(name)) functions.set(name, value as LoadedFunction)
  }
  if (functions.size === 0) throw new TypeError(`${url} exports no function by name (the default export is none)`)
  return functions
}

/** What imports the module for us: one that exports a function named `then` is a promise to `import()`, and hangs it. */
function reexportOf(url: string): string {
  return `data:text/javascript,${encodeURIComponent(`export * as module from ${JSON.stringify(url)}`)}`
}
