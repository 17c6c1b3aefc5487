import { MissingError } from './errors.ts'

/**
 * Imports an entry of this package whose dependencies are for its users to install.
 *
 * @throws MissingError that says what to install.
 */
export async function importWithPeers<T>(load: () => Promise<T>, peers: readonly string[]): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code !== 'ERR_MODULE_NOT_FOUND' || !peers.some((peer) => message.includes(`'${peer}'`))) throw error
    throw new MissingError(`this needs packages that are not installed: npm install ${peers.join(' ')}`, {
      cause: error,
    })
  }
}
