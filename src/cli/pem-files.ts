import { readFileSync } from 'node:fs'
import { UsageError } from './errors.ts'

/** The options that name PEM files. */
export interface GivenPems {
  'tls-ca'?: string
  'tls-cert'?: string
  'tls-key'?: string
}

/** Paths of PEM files. */
export interface PemFiles {
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
}

export interface Pems {
  ca?: string
  cert?: string
  key?: string
}

/** @throws UsageError for a certificate without its key, or a key without its certificate. */
export function pemFilesOf({ 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key }: GivenPems): PemFiles {
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert needs --tls-key beside it')
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key needs --tls-cert beside it')
  return { ca, cert, key }
}

/** @throws UsageError for a file that cannot be read. */
export function readPems(files: PemFiles): Pems {
  const pems: Pems = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = files[name]
    if (path !== undefined) pems[name] = readPem(`--tls-${name}`, path)
  }
  return pems
}

function readPem(option: string, path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} must be a file that can be read: ${(error as Error).message}`)
  }
  if (text.includes('-----BEGIN ')) return text
  throw new UsageError(`${option} must be a PEM file, which begins with -----BEGIN; ${path} is none`)
}
