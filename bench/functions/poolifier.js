// @ts-check
import { ThreadWorker } from 'poolifier'
import * as functions from './functions.js'

// Typed as if each had to do without its argument.
export default new ThreadWorker(/** @type {import('poolifier').TaskFunctions} */ ({ ...functions }))
