// Headers of our own, beside those that RFCs name. In lower case, as Node gives them.

/** The tag of the node that answers: eight hex digits, others after a restart. A request that carries it is refused by any other node. */
export const NODE_HEADER = 'coatcheck-node'

/** Milliseconds of the wait that was applied. */
export const WAIT_HEADER = 'coatcheck-wait'

/** Names a start, so that it can be sent again without being run again. */
export const KEY_HEADER = 'idempotency-key'

/**
 * Milliseconds for which a node remembers a key after a start by it, at least: a wait of the longest kind, and then the time
 * to come again.
 */
export const KEY_REMEMBERED = 90_000

/** Milliseconds that the server holds a wait at most: below the common idle limit of proxies, 60 s, twice over. */
export const LONGEST_WAIT = 29_000
