import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { accepts, formOfAccept, formOfContent } from '../../../src/adapters/wire/media.ts'

test('a body is in the form that its content type names, whatever its parameters and case', () => {
  equal(formOfContent('application/json'), 'plain')
  equal(formOfContent('Application/JSON; charset=utf-8'), 'plain')
  equal(formOfContent('application/vnd.coatcheck+json'), 'rich')
  for (const other of [undefined, '', 'text/plain', 'application/x-v8', 'application/jsonp']) {
    equal(formOfContent(other), undefined)
  }
})

test('an answer is plain JSON unless the other form is asked for', () => {
  const plain = [undefined, '', '*/*', 'application/json', 'application/*', 'text/html, */*;q=0.1']
  deepEqual(
    plain.map(formOfAccept),
    plain.map(() => 'plain'),
  )
  const rich = ['application/vnd.coatcheck+json', 'application/vnd.coatcheck+json, application/json;q=0.5']
  deepEqual(rich.map(formOfAccept), ['rich', 'rich'])
  equal(formOfAccept('application/vnd.coatcheck+json;q=0.1, application/json'), 'plain')
})

test('an answer that neither form can be is not given', () => {
  for (const accept of ['text/html', 'application/json;q=0', 'application/vnd.coatcheck+json;q=x', ',;=']) {
    equal(formOfAccept(accept), undefined, accept)
  }
})

test('a type is accepted by its name, by its range and by default', () => {
  for (const accept of [undefined, 'text/event-stream', 'text/*', '*/*'])
    equal(accepts(accept, 'text/event-stream'), true)
  for (const accept of ['text/html', 'text/event-stream;q=0']) equal(accepts(accept, 'text/event-stream'), false)
})
