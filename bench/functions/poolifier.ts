import { ThreadWorker, type TaskFunctions } from 'poolifier'
import * as functions from './functions.ts'

// Typed as if each had to do without its argument.
export default new ThreadWorker({ ...functions } as TaskFunctions)
