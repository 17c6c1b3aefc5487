import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { markup, raw } from '../../bench/report/markup.ts'

test('what is put into markup stays text', () => {
  equal(markup`<a title="${`"'`}">${'<b> & </b>'}</a>`.markup, '<a title="&quot;&#39;">&lt;b&gt; &amp; &lt;/b&gt;</a>')
})

test('markup in markup, alone or in a list, stays markup', () => {
  const items = [1, 2].map((n) => markup`<li>${n}</li>`)
  equal(markup`<ul>${items}</ul>${raw('<hr/>')}`.markup, '<ul><li>1</li><li>2</li></ul><hr/>')
})
