import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Flag, OptionalValue, Value } from './command.ts'
import { UsageError } from './errors.ts'

// What can be written on the command line, and how it is read. Times are in seconds there, and in milliseconds from here on.

export function flag(help: string): Flag {
  return { flag: true, help }
}

export function optional<T>(value: Value<T>): OptionalValue<T> {
  return { ...value, optional: true }
}

export function text(name: string, help: string): Value<string> {
  return {
    name,
    help,
    read(written) {
      if (written === '') throw new UsageError('must not be empty')
      return written
    },
  }
}

/** A file's name, as a path that does not depend on where the program is. */
export function file(name: string, help: string): Value<string> {
  const { read } = text(name, help)
  return { name, help, read: (written) => resolve(read(written)) }
}

export function moduleFile(name: string, help: string): Value<URL> {
  const { read } = file(name, help)
  return {
    name,
    help,
    read(written) {
      const path = read(written)
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
        throw new UsageError(`must be a module's file, such as ./functions.js; there is no file ${path}`)
      }
      return pathToFileURL(path)
    },
  }
}

/** Names with commas between them. */
export function names(name: string, help: string): Value<string[]> {
  return {
    name,
    help,
    read(written) {
      const parts = written.split(',').map((part) => part.trim())
      if (parts.includes('')) throw new UsageError(`must be names with commas between them, got ${quote(written)}`)
      return parts
    },
  }
}

export function oneOf<T extends string>(name: string, help: string, words: readonly T[]): Value<T> {
  return {
    name,
    help,
    read(written) {
      const word = words.find((each) => each === written)
      if (word === undefined) throw new UsageError(`must be one of ${words.join(', ')}; got ${quote(written)}`)
      return word
    },
  }
}

export function integer(name: string, help: string, { min, max }: { min: number; max: number }): Value<number> {
  return {
    name,
    help,
    read(written) {
      const value = /^[+-]?\d+$/.test(written) ? Number(written) : NaN
      if (value >= min && value <= max) return value
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
      throw new UsageError(`must be a whole number ${range}, got ${quote(written)}`)
    },
  }
}

/** Seconds, 0 or more, or `Infinity`. Read as milliseconds. */
export function seconds(help: string): Value<number> {
  return {
    name: 'SECONDS',
    help,
    read(written) {
      if (written === 'Infinity') return Infinity
      if (/^(\d+\.?\d*|\.\d+)$/.test(written)) return Math.round(Number(written) * 1_000)
      throw new UsageError(`must be a number of seconds, 0 or more, or Infinity; got ${quote(written)}`)
    },
  }
}

/** Seconds in which something has to happen. Read as milliseconds. */
export function duration(help: string): Value<number> {
  const { name, read } = seconds(help)
  return {
    name,
    help,
    read(written) {
      const ms = read(written)
      if (ms > 0) return ms
      throw new UsageError(`must be 0.001 seconds or more, got ${quote(written)}`)
    },
  }
}

/** As messages show what was written: on one line, and not at length. */
export function quote(written: string): string {
  const shown = JSON.stringify(written)
  return shown.length > 60 ? `${shown.slice(0, 57)}..."` : shown
}
