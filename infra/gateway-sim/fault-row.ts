/** What a fault is made of: a name's fields, one line that says what it does, and its deed. */
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import type { GatewayServer } from './server.ts'

export type FaultTarget = {
  broker: Broker
  server: GatewayServer
  clock: Clock
  /** Ways to call off what ends by itself, by the fault and what it is about. */
  ends: Map<string, () => void>
}

/** A well-formed fault that cannot be done, as a correction of an execution that there is not. */
export class FaultRefused extends Error {
  override readonly name = 'FaultRefused'
}

type Body = Readonly<Record<string, unknown>>

export type Row = {
  does: string
  needs: Readonly<Record<string, string>>
  takes: Readonly<Record<string, string>>
  /** Throws `FaultRefused` with one line that names the field that is wrong. */
  check: (body: Body) => void
  /** Checks, does it, and answers what the caller may want to know. */
  run: (body: Body, target: FaultTarget) => object
}

type Fields<N extends t.Props, T extends t.Props> = t.TypeOfProps<N> & t.TypeOfPartialProps<T>

export const fault = <N extends t.Props, T extends t.Props>(
  does: string,
  needs: N,
  takes: T,
  apply: (body: Fields<N, T>, target: FaultTarget) => unknown,
): Row => {
  const codec = t.intersection([t.type(needs), t.partial(takes)])
  const described = (props: t.Props) => Object.fromEntries(Object.entries(props).map(([name, type]) => [name, type.name]))
  const read = (body: Body): Fields<N, T> => {
    const extra = Object.keys(body).find((name) => !(name in needs) && !(name in takes))
    if (extra !== undefined) throw new FaultRefused(`${extra}: not a field of this fault, which has ${fieldsOf(needs, takes)}`)
    const decoded = decode(codec, body)
    if (!decoded.ok) throw new FaultRefused(decoded.problem)
    return decoded.value as Fields<N, T>
  }
  return {
    does,
    needs: described(needs),
    takes: described(takes),
    check: read,
    run: (body, target) => {
      const told = apply(read(body), target)
      return typeof told === 'object' && told !== null ? told : {}
    },
  }
}

const fieldsOf = (...props: t.Props[]): string => props.flatMap(Object.keys).join(', ') || 'none'

// ── Kinds of fields ──

const refined = (name: string, is: (value: number) => boolean): t.Type<number> =>
  new t.Type<number>(
    name,
    t.number.is,
    (value, context) => (typeof value === 'number' && Number.isFinite(value) && is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )
export const positive = refined('a positive number', (value) => value > 0)
export const signed = refined('a number other than 0', (value) => value !== 0)
export const whole = refined('a whole number from 0', (value) => Number.isInteger(value) && value >= 0)
export const counted = refined('a whole number from 1', (value) => Number.isInteger(value) && value >= 1)
export const port = refined('a port, 0 to 65535', (value) => Number.isInteger(value) && value >= 0 && value <= 65_535)

/** As IB names accounts. */
export const accountName = new t.Type<string>(
  'an account as DU1234567',
  t.string.is,
  (value, context) => (typeof value === 'string' && /^[A-Z]+\d+$/.test(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
)

export const oneOf = <Name extends string>(names: readonly Name[]) =>
  t.keyof(Object.fromEntries(names.map((name) => [name, null])) as Record<Name, null>, names.join(', ').replace(/, ([^,]*)$/, ' or $1'))

/** `on` false ends it; with `seconds` it ends by itself after so much simulated time. */
const switched = { on: t.boolean, seconds: positive }

/** After so much simulated time; a further one for the same thing takes the place of the first. */
export const endAfter = ({ clock, ends }: FaultTarget, what: string, seconds: number | undefined, end: () => void): void => {
  ends.get(what)?.()
  ends.delete(what)
  if (seconds === undefined) return
  const callOff = clock.at(clock.now() + seconds * 1000, () => {
    ends.delete(what)
    end()
  })
  ends.set(what, callOff)
}

/** A fault that lasts until it is set off. */
export const lasting = <N extends t.Props, T extends t.Props>(
  does: string,
  needs: N,
  takes: T,
  set: (on: boolean, body: Fields<N, T>, target: FaultTarget) => unknown,
): Row =>
  fault(does, needs, { ...takes, ...switched }, (body, target) => {
    const { on = true, seconds, ...fields } = body as Fields<N, T> & t.TypeOfPartialProps<typeof switched>
    const asked = fields as unknown as Fields<N, T>
    const what = JSON.stringify([does, ...Object.keys(needs).map((name) => asked[name as keyof typeof asked])])
    endAfter(target, what, on ? seconds : undefined, () => {
      set(false, asked, target)
      target.server.settle()
    })
    return set(on, asked, target)
  })

/** The list with the names, or without them. */
export const withNames = <Name>(list: readonly Name[], names: readonly Name[], on: boolean): Name[] => {
  const others = list.filter((name) => !names.includes(name))
  return on ? [...others, ...names] : others
}
