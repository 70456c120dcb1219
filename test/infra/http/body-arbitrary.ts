/** Random bodies from the codecs that decode them, and from nothing at all. */
import fc from 'fast-check'
import type * as t from 'io-ts'

type Shown = {
  name: string
  _tag?: string
  required?: t.Props
  optional?: t.Props
  limits?: { minimum?: number; maximum?: number }
  props?: t.Props
  type?: t.Mixed
  types?: readonly t.Mixed[]
  codomain?: t.Mixed
  keys?: Readonly<Record<string, unknown>>
  value?: unknown
}

const recordOf = (required: t.Props, optional: t.Props): fc.Arbitrary<unknown> => {
  const fields = Object.entries({ ...required, ...optional }).map(([name, codec]) => [name, likely(codec as t.Mixed)] as const)
  return fc.record(Object.fromEntries(fields), { requiredKeys: Object.keys(required) })
}

/** Numbers of every kind that JSON can write, those of money and quantities, and the edges of what a codec allows. */
const numberWithin = ({ minimum = -1e6, maximum = 1e6 }: NonNullable<Shown['limits']> = {}): fc.Arbitrary<number> =>
  fc.oneof(
    fc.constantFrom(minimum, maximum),
    fc.double({ min: minimum, max: maximum, noNaN: true }),
    fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) }),
  )
const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.constantFrom('SPY', 'trend', 'a', ' x ', 'manual', '2026-11-23', '3 ticks', '5 D', '10:30 New York'),
)
const decimalText = fc
  .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }))
  .map(([digits, places]) => String(digits / 10 ** places))

/** Mostly what the codec takes; what it demands beyond its kind (a pattern, an order of times) it may still refuse. */
export const likely = (codec: t.Decoder<unknown, unknown>): fc.Arbitrary<unknown> => {
  const shown = codec as unknown as Shown
  if (shown.required !== undefined && shown.optional !== undefined) return recordOf(shown.required, shown.optional)
  switch (shown._tag) {
    case 'StringType':
      return text
    case 'NumberType':
      return numberWithin()
    case 'BooleanType':
      return fc.boolean()
    case 'NullType':
      return fc.constant(null)
    case 'LiteralType':
      return fc.constant(shown.value)
    case 'KeyofType':
      return fc.constantFrom(...Object.keys(shown.keys!))
    case 'ArrayType':
      return fc.array(likely(shown.type!), { maxLength: 4 })
    case 'DictionaryType':
      return fc.dictionary(fc.oneof(settingName, fc.string({ maxLength: 20 })), likely(shown.codomain!), { maxKeys: 4 })
    case 'InterfaceType':
      return recordOf(shown.props!, {})
    case 'PartialType':
      return recordOf({}, shown.props!)
    case 'UnionType':
      return fc.oneof(...shown.types!.map(likely))
    case 'RefinementType': {
      const base = (shown.type as unknown as Shown)._tag
      return base === 'NumberType' ? numberWithin(shown.limits) : likely(shown.type!)
    }
    default:
      return shown.name === 'Decimal' ? decimalText : text
  }
}

const settingName = fc.constantFrom(
  'freshMinutes',
  'exposure.overall',
  'strategies.trend.allocation',
  'orders.priceCollar',
  'limits.gross',
  '__proto__',
  'constructor',
)

/** A body of the codec with one thing wrong in it, somewhere. */
export const spoilt = (codec: t.Decoder<unknown, unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(likely(codec), fc.string({ minLength: 1, maxLength: 12 }), fc.jsonValue({ maxDepth: 2 })).map(([body, name, value]) => ({
    ...(body as object),
    [name]: value,
  }))

/** Any JSON that is written. */
export const anyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 10, arbitrary: fc.json({ maxDepth: 3 }) },
  fc.integer({ min: 1, max: 3_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  {
    weight: 10,
    arbitrary: fc.constantFrom(
      'null',
      'true',
      '0',
      '-0',
      '1e400',
      '""',
      '"\\ud800"',
      '{"__proto__":{}}',
      '{"constructor":{"prototype":1}}',
      '{"a":1,"a":2}',
      '[]',
      '{}',
    ),
  },
)

/** Bytes that nobody wrote: noise, and JSON that was cut or bitten. */
export const anyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.json({ maxDepth: 2 }), fc.nat(), fc.nat(255)).map(([json, place, byte]) => {
    const bytes = Buffer.from(json)
    if (bytes.length > 0) bytes[place % bytes.length] = byte
    return bytes
  }),
  fc.tuple(fc.json({ maxDepth: 2 }), fc.nat()).map(([json, length]) => Buffer.from(json).subarray(0, length % (json.length + 1))),
)
