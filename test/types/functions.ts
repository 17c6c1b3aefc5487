// Checked by `npm run types`, never run: names, arguments and values are those of the functions module.

import { createRunner, type CallStatus, type FunctionName, type Runner } from '../../src/index.ts'
import { holds, type Same } from './same.ts'

interface Photo {
  width: number
  tags?: string[]
}

declare const functions: {
  resize(photo: Photo, width: number): Photo
  fetchPage(url: string, options?: { retries: number }): Promise<string>
  sum(...numbers: number[]): number
  first<T>(values: readonly T[]): T | undefined
  nothing(): void
  never(): never
  lazily(): PromiseLike<Promise<5>>
  readonly version: 5
  settings: { nested: () => void }
  default: (a: string) => string
}
type Functions = typeof functions
declare const runner: Runner<Functions>
declare const photo: Photo

export async function names(): Promise<void> {
  holds<Same<FunctionName<Functions>, 'resize' | 'fetchPage' | 'sum' | 'first' | 'nothing' | 'never' | 'lazily'>>()
  await runner.call('nothing', [])
  await runner.start('nothing', [])
  // @ts-expect-error there is no such function
  await runner.call('shrink', [])
  // @ts-expect-error there is no such function
  await runner.start('shrink', [])
  // @ts-expect-error the default export is no function
  await runner.call('default', ['a'])
  // @ts-expect-error the export is no function
  await runner.call('version', [])
  // @ts-expect-error the export is no function
  await runner.start('settings', [])
  // @ts-expect-error functions are known by their names
  await runner.call(functions.resize, [photo, 800])
  // @ts-expect-error a name that is any string may be none of them
  await runner.call(String(photo), [])
}

export async function args(): Promise<void> {
  await runner.call('resize', [photo, 800])
  await runner.start('resize', [{ width: 5, tags: ['a'] }, 800])
  await runner.call('fetchPage', ['url'])
  await runner.call('fetchPage', ['url', { retries: 3 }])
  await runner.call('sum', [])
  await runner.call('sum', [1, 2, 3])
  await runner.call('sum', [1, 2, 3] as const)
  await runner.call('first', [['a', 'b']])
  // @ts-expect-error args is missing
  await runner.call('nothing')
  // @ts-expect-error args is an array
  await runner.call('resize', photo, 800)
  // @ts-expect-error an argument is missing
  await runner.call('resize', [photo])
  // @ts-expect-error an argument is missing
  await runner.start('resize', [])
  // @ts-expect-error an argument too many
  await runner.call('resize', [photo, 800, 600])
  // @ts-expect-error an argument too many
  await runner.start('nothing', [undefined])
  // @ts-expect-error the wrong order
  await runner.call('resize', [800, photo])
  // @ts-expect-error the wrong type of an argument
  await runner.start('resize', [photo, '800'])
  // @ts-expect-error the wrong type inside an argument
  await runner.call('resize', [{ width: '5' }, 800])
  // @ts-expect-error a property that it does not have
  await runner.call('fetchPage', ['url', { retries: 3, backoff: 5 }])
  // @ts-expect-error the wrong type of one of many
  await runner.call('sum', [1, '2'])
}

export async function values(): Promise<void> {
  const resized = await runner.call('resize', [photo, 800])
  holds<Same<typeof resized, Photo>>()
  const page = await runner.call('fetchPage', ['url'])
  holds<Same<typeof page, string>>()
  const nothing = await runner.call('nothing', [])
  holds<Same<typeof nothing, void>>()
  const lazily = await runner.call('lazily', [])
  holds<Same<typeof lazily, 5>>()
  const never = runner.call('never', [])
  holds<Same<typeof never, Promise<never>>>()

  const status = await runner.start('fetchPage', ['url'])
  holds<Same<typeof status, CallStatus<string>>>()
  if (status.finished && status.ok) holds<Same<typeof status.value, string>>()
  // @ts-expect-error the value is a string
  const wrong: number = page
  // @ts-expect-error the value is a photo
  const alsoWrong: Promise<string> = runner.call('resize', [photo, 800])
  return void [wrong, alsoWrong]
}

export async function modules(): Promise<void> {
  const typed = createRunner<typeof import('../fixtures/basic.ts')>({ functions: '/functions.ts' })
  holds<Same<Awaited<ReturnType<typeof typed.call<'later'>>>, string>>()
  await typed.call('add', [1, 2])
  // @ts-expect-error there is no such function
  await typed.call('subtract', [1, 2])
  // @ts-expect-error the wrong type of an argument
  await typed.call('add', [1, '2'])

  const { define } = { define: { resize: { priority: 5 } } }
  createRunner<Functions>({ functions: '/functions.ts', define })
  // @ts-expect-error there is no such function
  createRunner<Functions>({ functions: '/functions.ts', define: { shrink: { priority: 5 } } })
  // @ts-expect-error the default export is no function
  createRunner<Functions>({ functions: '/functions.ts', define: { default: {} } })
}

export async function untyped(): Promise<void> {
  const any = createRunner({ functions: '/functions.ts', define: { whatever: { priority: 5 } } })
  const value = await any.call('whatever', [1, 'two', {}])
  holds<Same<typeof value, unknown>>()
  const status = await any.start('whatever', [])
  holds<Same<typeof status, CallStatus>>()
  // @ts-expect-error args is an array, whatever is in it
  await any.call('whatever', 1)
}
