import { deepEqual, equal } from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Progress, shareOf } from '../../src/cli/progress.ts'
import { FakeOutput, FakeTerminal } from '../helpers/fake-output.ts'

suite('the share that a function reports', () => {
  test('is a number from 0 to 1', () => {
    deepEqual(shareOf(0), { share: 0, label: '' })
    deepEqual(shareOf(1), { share: 1, label: '' })
    for (const progress of [-0.1, 1.1, NaN, Infinity, '0.5', true, null, undefined]) equal(shareOf(progress), undefined)
  })

  test('is an object with a share, or with what is done and the total', () => {
    deepEqual(shareOf({ share: 0.5 }), { share: 0.5, label: '' })
    deepEqual(shareOf({ done: 3, total: 4 }), { share: 0.75, label: '3 of 4' })
    deepEqual(shareOf({ done: 3, total: 4, message: 'pages' }), { share: 0.75, label: 'pages' })
    for (const progress of [{}, [], { share: 2 }, { done: 3 }, { done: 0, total: 0 }, { done: 5, total: 4 }]) {
      equal(shareOf(progress), undefined)
    }
  })

  test('has a label of one line without control characters', () => {
    equal(shareOf({ share: 0, message: 'one\ntwo\x1b[31m\x07three' })?.label, 'one two [31m three')
  })
})

suite('progress', () => {
  test('that is no share is shown as text, with the time so far', () => {
    const terminal = new FakeTerminal()
    const progress = new Progress(terminal)
    progress.show('queued', undefined)
    progress.show('running', { file: 'a\tb' })
    equal(terminal.text, '<0>    0 s  queued<0>    0 s  { "file": "a\\tb" }')
  })

  test('is shown on a terminal only', () => {
    const output = new FakeOutput()
    const progress = new Progress(output)
    equal(progress.isShown, false)
    progress.show('running', 0.5)
    progress.clear()
    equal(output.text, '')
  })
})
