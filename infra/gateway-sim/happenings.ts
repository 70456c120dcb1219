/** What a script can wait for: told just before the gateway acts on it. */
import type { RequestName } from './requests.ts'

export type Happening =
  /** A client logs in. */
  | { kind: 'connection'; clientId: number }
  /** A request of a client, an order included. */
  | { kind: 'message'; clientId: number; name: RequestName }
  | { kind: 'order'; clientId: number; orderRef: string }
  /** An execution is to be told. */
  | { kind: 'execution'; clientId: number; orderRef: string }

export const happeningKinds = ['connection', 'message', 'order', 'execution'] as const

export type Happened = (happening: Happening) => void
