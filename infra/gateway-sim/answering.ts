/** What the tables of answers are made of. */
import type { Broker } from './broker.ts'
import type { Client } from './client.ts'
import type { Request, RequestName } from './requests.ts'

export type AnsweredName = Exclude<RequestName, 'startApi'>
export type Asked<K extends AnsweredName> = Extract<Request, { kind: K }>
export type Answers<K extends AnsweredName> = { [Name in K]: (broker: Broker, client: Client, request: Asked<Name>) => void }
