import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CASES } from '../../bench/cases/cases.ts'
import { MARKS } from '../../bench/marks.ts'
import { contendersOf } from '../../bench/report/verdict.ts'

test('all that a mark compares is measured', () => {
  for (const mark of MARKS) {
    const measured = CASES[mark.case]
    ok(measured?.figures[mark.figure], `there is no figure ${mark.figure} of a case ${mark.case}`)
    const contenders: readonly string[] = measured.contenders
    for (const name of contendersOf(mark)) ok(contenders.includes(name), `${name} takes no part in ${mark.case}`)
  }
})

test('the check leaves room to the goal', () => {
  for (const { case: name, figure, goal, check } of MARKS) {
    if (goal === undefined || check === undefined) continue
    ok(CASES[name]?.figures[figure]?.better === 'lower' ? check >= goal : check <= goal, `${figure} in ${name}`)
  }
})

test('a mark is a goal, or checked, or both', () => {
  for (const { case: name, figure, goal, check } of MARKS) ok(goal ?? check, `${figure} in ${name}`)
})
