import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Server as HttpServer } from 'node:http'

type Answering = (request: Http2ServerRequest, response: Http2ServerResponse) => void

/** Ends requests of HTTP/2 that take longer than `ms` to arrive. With those of HTTP/1.1 Node does so itself. */
export function endLateBodies(server: HttpServer, ms: number): void {
  const onRequest: Answering = (request, response) => {
    const { stream } = response
    if (request.httpVersionMajor < 2 || stream.endAfterHeaders) return
    const timer = setTimeout(() => {
      if (!stream.readableEnded) end(request, response)
    }, ms)
    stream.once('close', () => clearTimeout(timer))
  }
  server.on('request', onRequest as (...args: unknown[]) => void)
}

function end(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const { stream } = response
  // Who reads the body answers for it.
  if (!response.headersSent && request.listenerCount('error') > 0) {
    stream.once('finish', () => stream.close())
    request.destroy(Object.assign(new Error('the request did not arrive in time'), { statusCode: 408 }))
  } else stream.close(constants.NGHTTP2_CANCEL)
}
