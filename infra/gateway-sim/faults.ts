/**
 * What can be made to go wrong, as one table: the body of `POST /faults`, and a step of a script, is `{ "fault": name, … }` with the
 * fields of its row. A new fault is a new row; what it arms stands in `Misbehaviour` or in the broker.
 */
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import { FaultRefused, type FaultTarget, fault, type Row } from './fault-row.ts'
import { farmUp, lineFaults, linkUp } from './line-faults.ts'
import { messageFaults } from './message-faults.ts'
import { behave } from './misbehaviour.ts'
import { orderFaults } from './order-faults.ts'

export { FaultRefused, type FaultTarget } from './fault-row.ts'

export const faults: Readonly<Record<string, Row>> = {
  ...lineFaults,
  ...messageFaults,
  ...orderFaults,
  clear: fault(
    'Disarms everything that is armed: what was held is told, late requests are answered, logins go on, the port is open, line and farms are back; kept cancels are forgotten.',
    {},
    {},
    (_, target) => {
      const { broker, server, ends } = target
      if (server.misbehaviour.linkDown) linkUp(target)
      for (const farm of server.misbehaviour.farmsDown) farmUp(target, farm)
      for (const callOff of ends.values()) callOff()
      ends.clear()
      behave(server.misbehaviour)
      server.openPort()
      broker.trading.holdExecutions(false)
      broker.forgetPartials()
    },
  ),
}

const touching: ReadonlySet<string> = new Set([
  ...['partialFill', 'handTrade', 'position', 'correctExecution', 'lateExecutions', 'deactivate', 'cancelStays'],
  ...['hangRequests', 'clear'],
])

/** Whether it makes the broker do something, at once or when what it kept goes on. The others arm something or concern the line. */
export const touchesBroker = ({ fault }: { fault: string }): boolean => touching.has(fault)

/** Name by name, one line each and the kinds of its fields. */
export const faultsTold = (): Record<string, Pick<Row, 'does' | 'needs' | 'takes'>> =>
  Object.fromEntries(Object.entries(faults).map(([name, { does, needs, takes }]) => [name, { does, needs, takes }]))

const FaultBody = t.intersection([t.type({ fault: t.string }), t.UnknownRecord])

const rowOf = (body: unknown): { row: Row; fields: Readonly<Record<string, unknown>> } => {
  const decoded = decode(FaultBody, body)
  if (!decoded.ok) throw new FaultRefused(decoded.problem)
  const { fault: name, ...fields } = decoded.value
  const row = Object.hasOwn(faults, name) ? faults[name] : undefined
  if (!row) throw new FaultRefused(`fault: ${JSON.stringify(name)} is not one of ${Object.keys(faults).join(', ')}`)
  return { row, fields }
}

/** Throws `FaultRefused` with one line that names what is wrong; does nothing else. */
export const checkFault = (body: unknown): void => {
  const { row, fields } = rowOf(body)
  row.check(fields)
}

/** What is to be told of it, at once or soon. Throws `FaultRefused` with one line that names what is wrong. */
export const applyFault = (body: unknown, target: FaultTarget): object => {
  const { row, fields } = rowOf(body)
  const told = row.run(fields, target)
  target.server.settle()
  return told
}
