/** From the codecs that decode a request to the JSON schema that describes it: one source, so that the two cannot differ. */
import type * as t from 'io-ts'

/** JSON schema 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** What a codec shows of itself: io-ts tags its own, `body` of domain/commands.ts shows its fields, refinements their limits. */
type Shown = {
  name: string
  _tag?: string
  required?: t.Props
  optional?: t.Props
  limits?: JsonSchema
  props?: t.Props
  type?: t.Mixed
  types?: readonly t.Mixed[]
  domain?: t.Mixed
  codomain?: t.Mixed
  keys?: Readonly<Record<string, unknown>>
  value?: unknown
}

/** Codecs made by hand say no more than their name. */
const byName: Readonly<Record<string, JsonSchema>> = {
  Decimal: { type: 'string', pattern: '^-?(0|[1-9][0-9]*)([.][0-9]{0,7}[1-9])?$', description: 'an exact decimal', examples: ['12.5'] },
}

const properties = (props: t.Props): JsonSchema =>
  Object.fromEntries(Object.entries(props).map(([name, codec]) => [name, schemaOf(codec as t.Decoder<unknown, unknown>)]))

const objectOf = (required: t.Props, optional: t.Props): JsonSchema => ({
  type: 'object',
  properties: { ...properties(required), ...properties(optional) },
  ...(Object.keys(required).length === 0 ? {} : { required: Object.keys(required) }),
})

/** Without a description of its own, a codec allows anything and is known by its name. */
export const schemaOf = (codec: t.Decoder<unknown, unknown>): JsonSchema => {
  const shown = codec as unknown as Shown
  const { name, required, optional } = shown
  if (required !== undefined && optional !== undefined) return { ...objectOf(required, optional), additionalProperties: false }
  switch (shown._tag) {
    case 'StringType':
      return { type: 'string' }
    case 'NumberType':
      return { type: 'number' }
    case 'BooleanType':
      return { type: 'boolean' }
    case 'NullType':
      return { type: 'null' }
    case 'LiteralType':
      return { const: shown.value }
    case 'KeyofType':
      return { type: 'string', enum: Object.keys(shown.keys!) }
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return { type: 'array', items: schemaOf(shown.type!) }
    case 'DictionaryType':
      return { type: 'object', additionalProperties: schemaOf(shown.codomain!) }
    case 'AnyDictionaryType':
      return { type: 'object' }
    case 'InterfaceType':
      return objectOf(shown.props!, {})
    case 'PartialType':
      return objectOf({}, shown.props!)
    case 'UnionType':
      return { anyOf: shown.types!.map(schemaOf) }
    case 'IntersectionType':
      return { allOf: shown.types!.map(schemaOf) }
    case 'ReadonlyType':
    case 'ExactType':
      return schemaOf(shown.type!)
    case 'RefinementType':
      return { ...schemaOf(shown.type!), description: name, ...shown.limits }
    default:
      return byName[name] ?? { description: name, ...shown.limits }
  }
}
