/** What of a file does not fit the message that Google has published for it: unknown fields, wrong kinds of values, enums that do not exist. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

/** @param library such as `@google-cloud/monitoring` @param message such as `google.monitoring.v3.AlertPolicy` */
export const shapeOf = (library: string, message: string): ((value: unknown) => string[]) => {
  const path = fileURLToPath(new URL(`../../../node_modules/${library}/build/protos/protos.json`, import.meta.url))
  const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(path, 'utf8')) as protobuf.INamespace)
  const type = root.lookupType(message)
  root.resolveAll()
  return (value) => problemsOf(type, value, '')
}

const integers = new Set(['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'fixed32', 'fixed64'])

/** As JSON stands for them. */
const wellKnown: Readonly<Record<string, (value: unknown) => boolean>> = {
  '.google.protobuf.Duration': (value) => typeof value === 'string' && /^\d+(\.\d{1,9})?s$/.test(value),
  '.google.protobuf.BoolValue': (value) => typeof value === 'boolean',
  '.google.protobuf.Empty': (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
}

const scalarFits = (type: string, value: unknown): boolean => {
  if (type === 'string') return typeof value === 'string'
  if (type === 'bool') return typeof value === 'boolean'
  if (type === 'double' || type === 'float') return typeof value === 'number'
  if (integers.has(type)) return Number.isInteger(Number(value)) && typeof value !== 'boolean'
  return false
}

const problemsOfValue = (field: protobuf.Field, value: unknown, path: string): string[] => {
  const known = field.resolvedType instanceof protobuf.Type ? wellKnown[field.resolvedType.fullName] : undefined
  if (known !== undefined) return known(value) ? [] : [`${path}: ${JSON.stringify(value)} is no ${field.type}`]
  if (field.resolvedType instanceof protobuf.Type) return problemsOf(field.resolvedType, value, path)
  if (field.resolvedType instanceof protobuf.Enum)
    return typeof value === 'string' && value in field.resolvedType.values ? [] : [`${path}: ${JSON.stringify(value)} is no ${field.type}`]
  return scalarFits(field.type, value) ? [] : [`${path}: ${JSON.stringify(value)} is no ${field.type}`]
}

const problemsOf = (type: protobuf.Type, value: unknown, path: string): string[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path || type.name}: ${JSON.stringify(value)} is no ${type.name}`]
  const several = type.oneofsArray
    .map((oneof) => oneof.oneof.filter((name) => name in value))
    .filter((names) => names.length > 1)
    .map((names) => `${path || type.name}: only one of ${names.join(', ')} may be set`)
  return [
    ...several,
    ...Object.entries(value).flatMap(([name, inner]) => {
      const field = type.fields[name]
      const at = path === '' ? name : `${path}.${name}`
      if (field === undefined) return [`${at}: ${type.name} has no such field`]
      if (field.repeated)
        return Array.isArray(inner)
          ? inner.flatMap((each, place) => problemsOfValue(field, each, `${at}[${place}]`))
          : [`${at}: must be a list`]
      if (field instanceof protobuf.MapField) {
        if (typeof inner !== 'object' || inner === null) return [`${at}: must be a map`]
        return Object.entries(inner).flatMap(([key, each]) => problemsOfValue(field, each, `${at}.${key}`))
      }
      return problemsOfValue(field, inner, at)
    }),
  ]
}
