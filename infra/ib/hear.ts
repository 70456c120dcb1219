/**
 * Listening to the library without falling with it: what a listener or the decoder throws would otherwise leave through
 * the socket's callback and end the process.
 */
import { EventName, type IBApi } from '@stoqey/ib'
import type { Listen } from './events.ts'

export const hear = (
  api: IBApi,
  {
    failed,
    broken,
    message,
  }: {
    /** One event could not be read. */
    failed: (event: string, error: unknown) => void
    /** The decoder threw: what follows cannot be trusted. */
    broken: (error: unknown) => void
    /** IB's messages: information (id −1), warnings and errors. */
    message: (id: number, code: number, text: string) => void
  },
): Listen => {
  const on: Listen = (event, listener) => {
    const safe = (...values: unknown[]) => {
      try {
        ;(listener as (...values: unknown[]) => void)(...values)
      } catch (error) {
        failed(event, error)
      }
    }
    ;(api.on as (event: string, listener: (...values: unknown[]) => void) => void).call(api, event, safe)
  }

  let received: readonly string[] = []
  on(EventName.received, (tokens) => {
    received = tokens
  })
  on(EventName.info, (text, code) => message(-1, code, text))
  on(EventName.error, (error, code, id) => message(id, code, error.message))

  // The decoder parses the details of a rejection as JSON and throws when they are not: the rejection itself was read.
  const { controller } = api as unknown as { controller: { processIngressQueue: () => void; decoder: { drainQueue: () => void } } }
  const decode = controller.processIngressQueue.bind(controller)
  controller.processIngressQueue = () => {
    try {
      decode()
    } catch (error) {
      controller.decoder.drainQueue() // what is left of this message would spoil the next
      const [kind, , id, code, text] = received
      if (error instanceof SyntaxError && kind === errorMessage) message(Number(id), Number(code), text ?? '')
      else broken(error)
    }
  }
  return on
}

const errorMessage = '4'
