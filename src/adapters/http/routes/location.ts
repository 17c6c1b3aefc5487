import type { FastifyRequest } from 'fastify'

/** Where a call can be asked for, below the path of a request for all calls. */
export function locationOf({ routeOptions: { url = '' } }: FastifyRequest, id: string): string {
  return `${url}/${encodeURIComponent(id)}`
}
