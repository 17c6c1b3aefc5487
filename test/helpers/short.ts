/** Whether tests of many calls are to do with fewer: where they run on several releases of Node, and in CI, whose time is short. */
export const isShort = process.env['COATCHECK_SHORT_TESTS'] === '1' || process.env['CI'] === 'true'
