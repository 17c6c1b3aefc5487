import { test } from 'node:test'
import { connect, connectAll } from '../../../src/client.ts'
import { assertError, NOT_NUMBERS, NOT_OBJECTS, NOT_OPTIONS, type ErrorKind } from '../../helpers/wrong.ts'

const URL_OF_NODE = 'https://node1:1811'

function refuses(make: () => unknown, kind: ErrorKind, ...parts: string[]): void {
  let thrown: unknown
  try {
    make()
  } catch (error) {
    thrown = error
  }
  assertError(thrown, kind, parts)
}

const withOptions = (options: unknown) => () => connect(URL_OF_NODE, options as object)

test('connect refuses what is no URL of a node', () => {
  for (const wrong of [undefined, null, 5, '', 'node1', 'ftp://node1', 'node1:1811', {}]) {
    refuses(
      () => connect(wrong as string),
      TypeError,
      "url must be an http: or https: URL, such as 'https://node1:1811'",
    )
  }
  refuses(() => connect('https://me:secret@node1'), TypeError, 'user name or password', '"headers"')
  refuses(() => connect('https://node1/?a=1'), TypeError, 'url must end with its path')
})

test('connect refuses options that are none', () => {
  for (const wrong of [...NOT_OBJECTS, ...NOT_OPTIONS]) {
    refuses(withOptions(wrong), TypeError, 'connect options must be an object, got')
  }
  refuses(withOptions({ timeout: 5 }), TypeError, 'connect options has no option "timeout"', 'tls, headers, margin')
})

test('connect refuses a margin that leaves no time', () => {
  for (const wrong of NOT_NUMBERS) refuses(withOptions({ margin: wrong }), TypeError, 'margin must be a number')
  for (const wrong of [-1, NaN, 0]) refuses(withOptions({ margin: wrong }), RangeError, 'margin must be')
})

test('connect refuses TLS options that it does not know, and any for a URL without TLS', () => {
  refuses(withOptions({ tls: { rejectUnauthorized: false } }), TypeError, 'tls has no option "rejectUnauthorized"')
  refuses(() => connect('http://node1', { tls: {} }), TypeError, 'tls is for https: URLs')
})

test('connect refuses headers that cannot be sent', () => {
  refuses(withOptions({ headers: { authorization: 5 } }), TypeError, 'headers["authorization"] must be a string')
  refuses(withOptions({ headers: { 'not a name': 'x' } }), TypeError, 'not a name')
  refuses(withOptions({ headers: { authorization: 'a\nb' } }), TypeError, 'authorization')
})

test('connectAll names the node whose options are wrong', () => {
  refuses(() => connectAll([] as unknown as Record<string, string>), TypeError, 'nodes must be an object')
  refuses(() => connectAll({ one: 5 as unknown as string }), TypeError, 'node "one" must be an object')
  const wrong = { one: { url: URL_OF_NODE, offline: 'yes' as unknown as boolean } }
  refuses(() => connectAll(wrong), TypeError, 'offline of node "one" must be true or false')
})
