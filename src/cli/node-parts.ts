import type { Logger } from 'pino'
import { isLoopback } from '../adapters/http/loopback.ts'
import type { TlsOptions } from '../http.ts'
import type { Isolation, RunnerOptions } from '../model/options.ts'
import type { Runner } from '../model/runner.ts'
import type { Value } from './command.ts'
import { UsageError } from './errors.ts'
import { pemFilesOf, readPems, type GivenPems } from './pem-files.ts'
import { pick } from './pick.ts'
import { quote } from './values.ts'

// What `serve` makes a node of.

export const PATH: Value<string> = {
  name: 'PATH',
  help: 'what all paths begin with; others give it with the URL then. Default: /v1',
  read(written) {
    if (/^(\/[\w.~-]+)+$/.test(written)) return written
    throw new UsageError(`must be a path without a slash at its end, such as /v1; got ${quote(written)}`)
  },
}

interface GivenTls extends GivenPems {
  host?: string
}

export function tlsOf(given: GivenTls): TlsOptions | undefined {
  const { host = 'localhost' } = given
  const { ca, cert, key } = readPems(pemFilesOf(given))
  if (ca === undefined && !isLoopback(host)) {
    throw new UsageError(`--host ${host} lets callers from elsewhere in: it needs --tls-ca, by which they are known`)
  }
  if (cert !== undefined && key !== undefined) return { cert, key, ...(ca !== undefined && { ca }) }
  if (ca !== undefined) throw new UsageError('--tls-ca needs --tls-cert and --tls-key beside it')
  return undefined
}

interface GivenRunner {
  module: URL
  isolation?: Isolation
  threads?: number
  processes?: number
  'queue-limit'?: number
  retain?: number
  grace?: number
}

export async function makeRunner(given: GivenRunner, logger: Logger): Promise<Runner> {
  const { createRunner } = await import('../index.ts')
  const { module: functions, threads, processes, 'queue-limit': queueLimit } = given
  const options: RunnerOptions = {
    functions,
    ...pick(given, 'isolation', 'retain', 'grace'),
    ...(threads !== undefined && { threads: { max: threads } }),
    ...(processes !== undefined && { processes: { max: processes } }),
    ...(queueLimit !== undefined && { queueLimit }),
    logger,
  }
  try {
    return createRunner(options)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}
