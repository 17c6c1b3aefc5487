// Has the tests run what users run: the package as it is built, in place of its source. That is also much quicker where
// a test starts many processes, as those need not take the types out of what they load.
// `node --import ./test/built.ts --test …`, after `npm run build`.
import { registerHooks } from 'node:module'

const source = new URL('../src/', import.meta.url).href
const built = new URL('../dist/', import.meta.url).href

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    if (!resolved.url.startsWith(source)) return resolved
    const url = built + resolved.url.slice(source.length).replace(/\.([cm]?)ts$/, '.$1js')
    return { ...resolved, url, format: url.endsWith('.cjs') ? 'commonjs' : 'module' }
  },
})
