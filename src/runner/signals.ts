const SIGNALS = ['SIGTERM', 'SIGINT'] as const

const closers = new Set<() => Promise<void>>()
let isListening = false

/**
 * Closes a runner when the process is asked to end, and then ends the process as the signal would have. Either signal
 * once more ends it at once. Returns what stops listening.
 */
export function closeOnSignals(close: () => Promise<void>): () => void {
  closers.add(close)
  if (!isListening) for (const signal of SIGNALS) process.on(signal, closeAll)
  isListening = true
  return () => {
    closers.delete(close)
    if (closers.size === 0) stopListening()
  }
}

function stopListening(): void {
  for (const signal of SIGNALS) process.off(signal, closeAll)
  isListening = false
}

async function closeAll(signal: NodeJS.Signals): Promise<void> {
  stopListening()
  // All of the process's runners at once: the first to be closed must not end the process under the others.
  await Promise.allSettled([...closers].map((close) => close()))
  // Somebody else listens too: how the process ends is theirs to say.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}
