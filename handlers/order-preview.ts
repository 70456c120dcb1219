/** Buying power: may an increase go out, as the broker itself reckons what it would take? */
import { sign } from '../domain/decimal.ts'
import { BrokerUnavailable, type Preview } from '../domain/ports/broker.ts'

/** Without an answer nobody knows, and an increase that nobody knows about does not go. `others`: they would get none either. */
export type Judgement = { may: true } | { may: false; why: string; others: boolean }

const no = (why: string, others = false): Judgement => ({ may: false, why, others })

export const judgePreview = ({ availableFundsAfter, initialMarginAfter, initialMarginChange, equityAfter }: Preview): Judgement => {
  if (availableFundsAfter === undefined) return no('the broker did not say what margin it would take')
  if (sign(availableFundsAfter) >= 0) return { may: true }
  const change = initialMarginChange === undefined ? '' : ` (${initialMarginChange} more than now)`
  return no(
    `too little buying power: the initial margin would be ${initialMarginAfter ?? 'unknown'}${change} of an equity of ${equityAfter ?? 'unknown'}, available funds ${availableFundsAfter}`,
  )
}

export const judgeFailure = (error: unknown): Judgement => {
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof BrokerUnavailable && error.why === 'refused') return no(`the broker would refuse it: ${text}`)
  return no(`the broker could not be asked what margin it would take: ${text}`, true)
}
