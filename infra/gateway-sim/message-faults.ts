/** What goes wrong with single messages, either way, whatever they are about. */
import * as t from 'io-ts'
import { counted, lasting, oneOf, type Row, withNames } from './fault-row.ts'
import { endMarkers, type MessageName, messageNumbers } from './message-names.ts'
import { type RequestName, requests } from './requests.ts'

const requestNames = Object.fromEntries(Object.values(requests).map(({ name }) => [name, null])) as Record<RequestName, null>
const requestNumber = new t.Type<number>(
  'the number of a message the simulator answers',
  t.number.is,
  (value, context) => (typeof value === 'number' && value in requests ? t.success(value) : t.failure(value, context)),
  t.identity,
)
const asked = t.array(t.union([t.keyof(requestNames, 'the name of a request'), requestNumber], 'names or numbers of requests'))
const nameOf = (request: RequestName | number): RequestName => (typeof request === 'number' ? requests[request]!.name : request)

const told = t.array(oneOf(Object.keys(messageNumbers) as MessageName[]), 'names of messages')

export const messageFaults: Readonly<Record<string, Row>> = {
  hangRequests: lasting(
    'While on, these requests (names as reqPositions, or message numbers) are never answered; an order among them vanishes. With late they are answered when it is off.',
    { messages: asked },
    { late: t.boolean },
    (on, { messages, late = false }, { server: { misbehaviour } }) => {
      const names = messages.map(nameOf)
      misbehaviour.hang = withNames(misbehaviour.hang, names, on && !late)
      misbehaviour.answerLate = withNames(misbehaviour.answerLate, names, on && late)
    },
  ),
  loseMessages: lasting(
    'While on, these messages to clients (names as orderStatus) are lost; with count, so many of each.',
    { messages: told },
    { count: counted },
    (on, { messages, count }, { server: { misbehaviour } }) => {
      const others = misbehaviour.lose.filter(({ message }) => !messages.includes(message))
      const lost = messages.map((message) => ({ message, ...(count === undefined ? {} : { left: count }) }))
      misbehaviour.lose = on ? [...others, ...lost] : others
    },
  ),
  holdMessages: lasting(
    'While on, these messages to clients are held back; off tells them in their order.',
    { messages: told },
    {},
    (on, { messages }, { server: { misbehaviour } }) => {
      misbehaviour.hold = withNames(misbehaviour.hold, messages, on)
    },
  ),
  repeatMessages: lasting(
    'While on, these messages to clients come twice, or so many times.',
    { messages: told },
    { times: counted },
    (on, { messages, times = 2 }, { server: { misbehaviour } }) => {
      const others = misbehaviour.repeat.filter(({ message }) => !messages.includes(message))
      misbehaviour.repeat = on ? [...others, ...messages.map((message) => ({ message, times }))] : others
    },
  ),
  endMarkers: lasting(
    'While on, no list is said to be complete: the end markers come when it is off (late), or never.',
    { when: oneOf(['late', 'never']) },
    {},
    (on, { when }, { server: { misbehaviour } }) => {
      const others = misbehaviour.lose.filter(({ message }) => !endMarkers.includes(message))
      misbehaviour.lose = on && when === 'never' ? [...others, ...endMarkers.map((message) => ({ message }))] : others
      misbehaviour.hold = withNames(misbehaviour.hold, endMarkers, on && when === 'late')
    },
  ),
}
