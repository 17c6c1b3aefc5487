import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import { JSON_TYPE, PROBLEM_TYPE, RICH_TYPE } from '../wire/media.ts'
import { NAMED, Named, nameOf } from './schemas.ts'

/** The document is at hand by this name: an app may have one of its own. */
const DECORATOR = 'coatcheckDocument'

/** Collects the schemas of the routes that are added from now on. */
export async function collectSchemas(app: FastifyInstance): Promise<void> {
  for (const schema of NAMED) app.addSchema(schema)
  await app.register(swagger, {
    decorator: DECORATOR,
    // Those of the app are not used here, and no name of theirs takes the place of one of ours.
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, i) => nameOf(String($id)) ?? `Schema${i}` },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'coatcheck',
        description: 'Hand in a function call; if it is not done in time you get its ID; come back with it.',
        version: '1',
      },
    },
  })
}

/** The OpenAPI document of the routes, once the app is ready. */
export function documentOf(app: FastifyInstance): object {
  return app.getDecorator<() => object>(DECORATOR)()
}

const problem = { description: 'A problem', content: { [PROBLEM_TYPE]: { schema: Named('Problem') } } }

interface RouteDescription {
  operationId: string
  summary: string
  body?: TSchema
  params?: TSchema
  querystring?: TSchema
  headers?: Record<string, string>
  /** What is answered beside problems, by status: the schema of the body, or nothing. */
  answers: Record<number, readonly [description: string, body?: TSchema]>
  /** The media types of the answer. Default: JSON. */
  types?: readonly string[]
}

/** The media types of a body in which there are values of functions, as both sides send them. */
export const WITH_VALUES: readonly string[] = [JSON_TYPE, RICH_TYPE]

/** The schema of a route: what Fastify checks, and what the document says of it. */
export function describe({ answers, types = [JSON_TYPE], ...parts }: RouteDescription): FastifySchema {
  const response: Record<string, object> = {}
  for (const [status, [description, body]] of Object.entries(answers)) {
    const content = body && Object.fromEntries(types.map((type) => [type, { schema: body }]))
    response[status] = content ? { description, content } : { description, type: 'null' }
  }
  const request = parts.body ? { ...parts, consumes: WITH_VALUES } : parts
  return { ...request, response: { ...response, '4xx': problem, '5xx': problem } } as FastifySchema
}
