import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressBar } from '../../src/terminal/progress-bar.ts'
import { FakeOutput, FakeTerminal } from '../helpers/fake-output.ts'

/** What a terminal of that width has been shown, each time without the move of its cursor. */
function shown(columns: number, show: (bar: ProgressBar) => void): string[] {
  const terminal = new FakeTerminal()
  terminal.columns = columns
  show(new ProgressBar(terminal))
  return terminal.text.split('<0>').slice(1)
}

test('a terminal shows a bar that is drawn over the one before', () => {
  const lines = shown(40, (bar) => {
    bar.show(0, 'begins')
    bar.show(0.5, 'half')
    bar.show(1, 'done')
  })
  deepEqual(lines, [
    '     0%  [....................]  begins',
    '    50%  [###########...........]  half',
    '   100%  [######################]  done',
  ])
})

test('in a narrow terminal first the label gives way, then the bar', () => {
  deepEqual(
    shown(30, (bar) => bar.show(0.5, 'a label that is long')),
    ['    50%  [#########.........]'],
  )
  deepEqual(
    shown(12, (bar) => bar.show(0.5, 'a label that is long')),
    ['    50%'],
  )
})

test('a text is cut off where the terminal ends', () => {
  deepEqual(
    shown(12, (bar) => bar.showText('something longer')),
    ['   somethin'],
  )
})

test('what was shown can be taken away', () => {
  const lines = shown(40, (bar) => {
    bar.showText('text')
    bar.clear()
  })
  deepEqual(lines, ['   text', ''])
})

test('anything else than a terminal is told each quarter, and no text', () => {
  const output = new FakeOutput()
  const bar = new ProgressBar(output)
  for (const share of [0, 0.2, 0.25, 0.3, 0.8, 1]) bar.show(share, 'files')
  bar.showText('text')
  bar.clear()
  bar.end()
  equal(output.text, '    25%  files\n    80%  files\n   100%  files\n')
})
