import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why tests of the queue are left out here; false where they can run. In CI they must. */
export const noRedis = whyNoRedis()

function whyNoRedis(): string | false {
  const { status } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' })
  if (status === 0) return false
  const how = 'needs redis-server: `apt-get install redis-server` or `brew install redis`, it is not to be started'
  if (process.env['CI'] === 'true') throw new Error(how)
  return how
}

/** A Redis server of a test's own, with an append-only file. */
export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'coatcheck-redis-'))
  readonly port: number
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, settings: readonly string[]) {
    this.port = port
    this.#settings = settings
  }

  /** @param settings further ones, as on the command line: `--maxmemory 10mb`. */
  static async start(...settings: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings)
    await server.start()
    return server
  }

  get connection(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port }
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts it again, with the data that its file has. */
  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', '']
    const kept = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']
    const child = spawn('redis-server', [...own, ...kept, ...this.#settings.flatMap((each) => each.split(' '))], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#process = child
    let printed = ''
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      printed += String(chunk)
      if (printed.includes('Ready to accept connections')) break
    }
    child.stdout.resume()
    if (child.exitCode !== null) throw new Error(`redis-server did not start: ${printed}`)
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null) return
    const ended = once(child, 'exit')
    // It may be stopped.
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await ended
  }

  /** Drops what it has written. It must not run. */
  loseData(): void {
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true })
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
