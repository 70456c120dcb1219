/** The steps of prices by price band. IB tells them by the number of a market rule; each rule is asked for once on a connection. */
import type { PriceIncrement } from '@stoqey/ib'
import { BrokerUnavailable, type Contract } from '../../domain/ports/broker.ts'
import type { ContractRow } from './contracts.ts'
import { magnitude } from './fields.ts'
import type { Line } from './line.ts'

type Increments = NonNullable<Contract['priceIncrements']>

const known = new WeakMap<Line['questions'], Map<number, Promise<Increments | undefined>>>()
/** An answer names only its rule, and rules have small numbers: as questions they get numbers that nothing else has. */
const asQuestion = (rule: number): number => 2_000_000_000 + rule
/** Machine milliseconds; without an answer the smallest step of the contract holds. */
const patience = 5000

export const incrementsOf = (steps: readonly PriceIncrement[]): Increments =>
  steps
    .flatMap(({ lowEdge, increment }) => {
      const [from, step] = [magnitude(lowEdge), magnitude(increment)]
      return from === undefined || step === undefined || step === '0' ? [] : [{ from, increment: step }]
    })
    .sort((left, right) => Number(left.from) - Number(right.from))

const askRule = ({ questions, api, deadlines }: Line, rule: number): Promise<Increments | undefined> =>
  questions
    .ask({
      ...{ kind: 'marketRules', name: `reqMarketRule ${rule}`, numbered: true, id: asQuestion(rule) },
      deadline: Math.min(deadlines.question, patience),
      send: () => api.reqMarketRule(rule),
    })
    .then(([steps]) => steps)
    .catch((error: unknown) => {
      if (error instanceof BrokerUnavailable && error.why === 'timedOut') return undefined
      known.get(questions)?.delete(rule) // the line is gone: the next one is asked again
      throw error
    })

export const answerRule = (questions: Line['questions'], rule: number, steps: readonly PriceIncrement[]): void => {
  questions.row('marketRules', incrementsOf(steps), asQuestion(rule))
  questions.end('marketRules', asQuestion(rule))
}

/** The contract with its price bands, where it has other steps than its smallest one. @throws BrokerUnavailable when the line is lost */
export const withIncrements = async (line: Line, { contract, marketRule }: ContractRow): Promise<Contract> => {
  if (marketRule === undefined) return contract
  const rules = known.get(line.questions) ?? new Map<number, Promise<Increments | undefined>>()
  known.set(line.questions, rules)
  if (!rules.has(marketRule)) rules.set(marketRule, askRule(line, marketRule))
  const increments = (await rules.get(marketRule)) ?? []
  const plain = increments.every(({ increment }) => increment === contract.minTick)
  return plain ? contract : { ...contract, priceIncrements: increments }
}
