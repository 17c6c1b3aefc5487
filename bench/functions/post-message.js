// @ts-check
import { parentPort } from 'node:worker_threads'
import * as functions from './functions.js'

/**
 * The least that a call over a port can need: a number to know it by, a name, an argument.
 *
 * @typedef {object} Request
 * @property {number} id
 * @property {keyof typeof functions} fn
 * @property {unknown} argument
 *
 * @typedef {object} Answer
 * @property {number} id
 * @property {unknown} value
 */

const byName = { ...functions }

parentPort?.on('message', async (/** @type {Request} */ { id, fn, argument }) => {
  /** @type {unknown} */
  const returned = byName[fn](/** @type {never} */ (argument))
  /** @type {Answer} */
  const answer = { id, value: returned instanceof Promise ? await returned : returned }
  parentPort?.postMessage(answer)
})
