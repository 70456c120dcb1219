/**
 * The frames of the TWS socket protocol.
 * A client opens with `API\0`, a length and `v<min>..<max>`; afterwards each message, either way, is a 32-bit big-endian length
 * and that many bytes of UTF-8 fields, each ended by a NUL. TCP may cut and join these bytes anywhere.
 */
export type Field = string | number | boolean | undefined

/** What a client sends: its greeting, once and first, then messages. */
export type Incoming = { kind: 'hello'; from: number; to: number } | { kind: 'message'; fields: string[] }

/** The bytes are not a TWS stream; nothing after them can be understood, so the connection must be closed. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame'
}

const greeting = Buffer.from('API\0')
const longestHello = 256
const longestMessage = 0xffffff

/** Booleans travel as 1 and 0, an absent value as an empty field. */
export const encodeFrame = (fields: readonly Field[]): Buffer => {
  const body = Buffer.from(fields.map((field) => `${textOf(field)}\0`).join(''))
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

const textOf = (field: Field): string => {
  if (field === undefined) return ''
  if (typeof field === 'boolean') return field ? '1' : '0'
  return String(field)
}

/** Collects bytes as they come and hands back every complete frame, in order. Throws `MalformedFrame` at bytes that cannot be one. */
export const createFrameReader = (): ((chunk: Buffer) => Incoming[]) => {
  let pending: Buffer = Buffer.alloc(0)
  let greeted = false

  const next = (): Incoming | undefined => {
    if (!greeted) {
      const start = pending.subarray(0, greeting.length)
      if (!greeting.subarray(0, start.length).equals(start)) throw new MalformedFrame('a client must begin with "API\\0"')
      const text = take(greeting.length, longestHello)
      if (text === undefined) return undefined
      greeted = true
      return helloOf(text)
    }
    const text = take(0, longestMessage)
    if (text === undefined) return undefined
    if (!text.endsWith('\0')) throw new MalformedFrame('a message must end with NUL')
    return { kind: 'message', fields: text.slice(0, -1).split('\0') }
  }

  const take = (offset: number, longest: number): string | undefined => {
    if (pending.length < offset + 4) return undefined
    const length = pending.readInt32BE(offset)
    if (length <= 0 || length > longest) throw new MalformedFrame(`a frame of ${length} bytes`)
    const end = offset + 4 + length
    if (pending.length < end) return undefined
    const text = pending.toString('utf8', offset + 4, end)
    pending = pending.subarray(end)
    return text
  }

  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const frames: Incoming[] = []
    for (let frame = next(); frame !== undefined; frame = next()) frames.push(frame)
    return frames
  }
}

/** `v100..193`, or `v178` alone; connect options may follow after a space. */
const helloOf = (text: string): Incoming => {
  const versions = /^v(\d+)(?:\.\.(\d+))?(?: .*)?$/.exec(text)
  if (versions === null) throw new MalformedFrame('a client must announce its versions as "v<min>..<max>"')
  const from = Number(versions[1])
  return { kind: 'hello', from, to: Number(versions[2] ?? from) }
}
