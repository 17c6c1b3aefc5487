import { DEFAULT_TIMEOUT } from '../../model/options.ts'
import { LONGEST_WAIT } from '../wire/headers.ts'

/** How long a request is to wait. */
export interface AppliedWait {
  /** Milliseconds, from 0 to `LONGEST_WAIT`. */
  ms: number
  /** What to say in `Preference-Applied`. */
  preference: string | undefined
}

/**
 * The wait that is applied: what `timeout` asks for, else what the `Prefer` header does (RFC 7240), else the default; and
 * never more than a wait may be.
 *
 * @param timeout milliseconds, checked.
 */
export function appliedWait(timeout: number | undefined, prefer: string | string[] | undefined): AppliedWait {
  if (timeout !== undefined) return { ms: Math.min(Math.ceil(timeout), LONGEST_WAIT), preference: undefined }
  if (prefer === undefined) return { ms: DEFAULT_TIMEOUT, preference: undefined }
  const preferences = readPreferences(String(prefer))
  const seconds = preferences.get('wait')
  if (seconds !== undefined && /^\d{1,9}$/.test(seconds)) {
    const ms = Math.min(Number(seconds) * 1_000, LONGEST_WAIT)
    return { ms, preference: `wait=${ms / 1_000}` }
  }
  return preferences.has('respond-async')
    ? { ms: 0, preference: 'respond-async' }
    : { ms: DEFAULT_TIMEOUT, preference: undefined }
}

/** The first of each name holds. */
function readPreferences(prefer: string): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const preference of prefer.split(',')) {
    const [name = '', value = ''] = (preference.split(';', 1)[0] ?? '').split('=').map((part) => part.trim())
    const key = name.toLowerCase()
    if (!preferences.has(key)) preferences.set(key, value.replace(/^"(.*)"$/, '$1'))
  }
  return preferences
}
