import { Deserializer, Serializer } from 'node:v8'

// The plain serializer, not the default one of `v8.serialize`: its values are those of structured clone.

/** @throws Error `DataCloneError` for what cannot be written down. */
export function serialize(value: unknown): Buffer {
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** @throws Error for bytes that `serialize` did not write. */
export function deserialize(bytes: Buffer): unknown {
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}
