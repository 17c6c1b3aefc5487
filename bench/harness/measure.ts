// Measures one contender in one case, and tells the process that started it. `measure.ts <case> <contender> <effort>`
import { CASES } from '../cases/cases.ts'
import { load, type ContenderName } from '../contenders/contenders.ts'
import type { Effort } from './case.ts'

const [caseName = '', contender = '', effort = ''] = process.argv.slice(2)
const figures = await CASES[caseName]?.measure(await load(contender as ContenderName), effort as Effort)
process.send?.(figures)
process.disconnect()
