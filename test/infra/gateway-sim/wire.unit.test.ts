import { expect } from 'chai'
import fc from 'fast-check'
import { createFrameReader, encodeFrame, MalformedFrame } from '../../../infra/gateway-sim/wire.ts'

const hello = (text: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(text.length)
  return Buffer.concat([Buffer.from('API\0'), length, Buffer.from(text)])
}

const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length]
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
}

describe('frames of the TWS protocol', () => {
  it('carry booleans as 1 and 0 and an absent value as an empty field', () => {
    const [message] = createReaderPastHello()(encodeFrame([5, true, false, undefined, 'Zürich', 1.5]))
    expect(message).to.deep.equal({ kind: 'message', fields: ['5', '1', '0', '', 'Zürich', '1.5'] })
  })

  it('read the greeting with a range, with one version, and with connect options', () => {
    expect(createFrameReader()(hello('v100..193'))).to.deep.equal([{ kind: 'hello', from: 100, to: 193 }])
    expect(createFrameReader()(hello('v178'))).to.deep.equal([{ kind: 'hello', from: 178, to: 178 }])
    expect(createFrameReader()(hello('v157..178 +PACEAPI'))).to.deep.equal([{ kind: 'hello', from: 157, to: 178 }])
  })

  it('come out the same however TCP cuts and joins them', () => {
    const field = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''))
    const frames = fc.array(fc.array(field, { minLength: 1, maxLength: 6 }), { maxLength: 5 })
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
        const read = createFrameReader()
        const bytes = Buffer.concat([hello('v100..193'), ...messages.map(encodeFrame)])
        const [first, ...rest] = cutAt(bytes, cuts).flatMap((part) => read(part))
        expect(first).to.deep.equal({ kind: 'hello', from: 100, to: 193 })
        expect(rest).to.deep.equal(messages.map((fields) => ({ kind: 'message', fields })))
      }),
      { numRuns: 200 },
    )
  })

  it('refuse bytes that are no frame', () => {
    expect(() => createFrameReader()(Buffer.from('GET / HTTP/1.1'))).to.throw(MalformedFrame, 'API')
    expect(() => createFrameReader()(hello('version 3'))).to.throw(MalformedFrame, 'v<min>..<max>')
    expect(() => createReaderPastHello()(Buffer.from([0xff, 0xff, 0xff, 0xff]))).to.throw(MalformedFrame, 'frame of -1 bytes')
    expect(() => createReaderPastHello()(Buffer.from([0x7f, 0, 0, 0]))).to.throw(MalformedFrame, 'bytes')
    expect(() => createReaderPastHello()(Buffer.from([0, 0, 0, 1, 65]))).to.throw(MalformedFrame, 'NUL')
  })
})

const createReaderPastHello = () => {
  const read = createFrameReader()
  read(hello('v100..193'))
  return read
}
