import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Writable } from 'node:stream'

/**
 * What the bytes of an answer go to. The answers of HTTP/2 are used as those of HTTP/1.1 are, but say nothing of their
 * connection themselves.
 */
export function streamOf(response: ServerResponse | Http2ServerResponse): Writable {
  return 'stream' in response ? response.stream : response
}
