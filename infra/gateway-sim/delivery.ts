/** What of the messages to one client goes out, and when: some are lost, held, repeated, changed or overtake others. */
import { type MessageName, marketDataMessages, messageNumbers, nameOfMessage } from './message-names.ts'
import { unset } from './messages.ts'
import type { Misbehaviour } from './misbehaviour.ts'
import type { Field } from './wire.ts'

export type Delivery = {
  /** What goes out now for a message that is to be told. */
  pass: (fields: readonly Field[]) => (readonly Field[])[]
  /** What was held and may go by now, in the order in which it came. */
  released: () => (readonly Field[])[]
}

type Armed = Pick<Misbehaviour, 'lose' | 'hold' | 'repeat' | 'commissions' | 'farmsDown'>

/** Place of the execution's id in a commission report, and of the commission. */
const [commissionExecId, commission] = [2, 3]
const executionExecId = 14

export const createDelivery = (armed: Armed): Delivery => {
  let held: (readonly Field[])[] = []
  /** An execution that waits for its commission to go first. */
  let execution: readonly Field[] | undefined

  const isLost = (name: MessageName): boolean => {
    if (armed.farmsDown.includes('marketData') && marketDataMessages.includes(name)) return true
    const row = armed.lose.find(({ message }) => message === name)
    if (!row) return false
    if (row.left !== undefined && --row.left <= 0) armed.lose.splice(armed.lose.indexOf(row), 1)
    return true
  }

  const deliver = (name: MessageName | undefined, fields: readonly Field[]): (readonly Field[])[] => {
    if (name === undefined) return [fields]
    if (isLost(name)) return []
    if (armed.hold.includes(name)) {
      held.push(fields)
      return []
    }
    const times = armed.repeat.find(({ message }) => message === name)?.times ?? 1
    return Array.from({ length: times }, () => fields)
  }

  /** Any other message ends the waiting for a commission that does not come. */
  const inOrder = (fields: readonly Field[]): (readonly Field[])[] => {
    const waiting = execution
    execution = undefined
    if (armed.commissions === 'first' && Number(fields[0]) === messageNumbers.execDetails) {
      execution = fields
      return waiting ? [waiting] : []
    }
    if (!waiting) return [fields]
    const isItsOwn = Number(fields[0]) === messageNumbers.commissionReport && fields[commissionExecId] === waiting[executionExecId]
    return isItsOwn ? [fields, waiting] : [waiting, fields]
  }

  const asTold = (fields: readonly Field[]): readonly Field[] =>
    armed.commissions === 'unset' && Number(fields[0]) === messageNumbers.commissionReport ? fields.with(commission, unset) : fields

  return {
    pass: (fields) => inOrder(fields).flatMap((message) => deliver(nameOfMessage(message[0]), asTold(message))),
    released: () => {
      const [before, going]: [(readonly Field[])[], (readonly Field[])[]] = [held, []]
      held = []
      for (const fields of before) (armed.hold.includes(nameOfMessage(fields[0])!) ? held : going).push(fields)
      return going
    },
  }
}
