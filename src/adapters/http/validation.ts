import type { FastifySchema, FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { show } from '../../model/check.ts'
import { refuse } from './refusal.ts'

const TIMES = new Set(['timeout', 'abortAfter', 'grace', 'retain'])

interface RouteSchema {
  schema: FastifySchema | TSchema
  httpPart?: string
}

/** Checks without changing anything: nothing is coerced and nothing dropped, but numbers of an address are read. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }: RouteSchema) => {
  const validator = Compile(schema as TSchema)
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const numbers = Object.keys(properties).filter((key) => ['number', 'integer'].includes(properties[key]?.type ?? ''))
  return (given: unknown) => {
    const value = httpPart === 'querystring' ? withNumbers(given, numbers) : given
    return validator.Check(value) ? { value } : { error: refusalOf(validator.Errors(value), value, httpPart) }
  }
}

function withNumbers(given: unknown, numbers: readonly string[]): unknown {
  const values = { ...(given as Record<string, unknown>) }
  for (const key of numbers) {
    const text = values[key]
    if (typeof text === 'string' && text.trim() !== '') values[key] = Number(text)
  }
  return values
}

interface Fault {
  keyword: string
  instancePath: string
  message: string
  params: object
}

function refusalOf(faults: readonly Fault[], value: unknown, httpPart = 'body'): Error {
  const [{ instancePath, message, params } = { instancePath: '', message: 'is not right', params: {} }] = faults
  const name = instancePath.slice(1).split('/', 1)[0] ?? ''
  const where = name === '' ? `the ${httpPart}` : `"${name}" of the ${httpPart}`
  const given = (value as Record<string, unknown> | null)?.[name]
  const got = name === '' ? '' : `; got ${show(given)}`
  const extra = Object.values(params)
    .flat()
    .filter((part) => typeof part === 'string' && name === '')
  const which = extra.length > 0 ? ` (${extra.join(', ')})` : ''
  return refuse(TIMES.has(name) ? 'invalid-timeout' : 'invalid-request', `${where} ${message}${which}${got}`)
}
