/** Whether the longest tests are to take fewer rounds: they run in full on one release of Node. */
export const isShort = process.env['COATCHECK_SHORT_TESTS'] === '1'
