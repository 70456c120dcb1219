/** What an order would take, asked of IB by the order itself with its `whatIf` set: nothing is placed. */
import type { OrderState } from '@stoqey/ib'
import { type Decimal, subtract } from '../../domain/decimal.ts'
import type { OrderTicket, Preview } from '../../domain/ports/broker.ts'
import { contractToAsk, orderOf } from './contracts.ts'
import { amount } from './fields.ts'
import type { Line } from './line.ts'

export const previewOf = (state: OrderState): Preview => {
  const initialMarginAfter = amount(state.initMarginAfter)
  const equityAfter = amount(state.equityWithLoanAfter)
  const left = (equity: Decimal | undefined, margin: Decimal | undefined) =>
    equity === undefined || margin === undefined ? undefined : subtract(equity, margin)
  return {
    initialMarginChange: amount(state.initMarginChange),
    initialMarginAfter,
    equityAfter,
    availableFundsAfter: left(equityAfter, initialMarginAfter),
    commission: amount(state.commission),
    warning: state.warningText === undefined || state.warningText === '' ? undefined : state.warningText,
  }
}

/** A warning may come first, with every number unset; the numbers follow in a second answer, or never. */
export const isWhole = ({ availableFundsAfter }: Preview): boolean => availableFundsAfter !== undefined

/** Machine milliseconds: orders wait behind it. */
const patience = 5000

/** @throws BrokerUnavailable `timedOut` when no numbers came, `refused` in the broker's words */
export const askPreview = async ({ questions, api, deadlines }: Line, ticket: OrderTicket): Promise<Preview> => {
  const previews = await questions.ask({
    ...{ kind: 'previews', name: `the preview of ${ticket.orderRef}`, numbered: true, id: ticket.orderId, urgent: true },
    deadline: Math.min(deadlines.question, patience),
    // Without our name on it: what it is told back as must not be taken for the order.
    send: (id) => api.placeOrder(id, contractToAsk(ticket.contract), { ...orderOf(ticket), orderRef: '', whatIf: true }),
  })
  return previews.find(isWhole)!
}
