/** What a contract is, which contracts there are, and the steps of its prices. */
import type { Answers } from './answering.ts'
import { refuse } from './client.ts'
import * as messages from './contract-messages.ts'
import { invalid, unknownContract } from './rejections.ts'

export const contractAnswers: Answers<'reqContractDetails' | 'reqMarketRule' | 'reqMatchingSymbols'> = {
  reqContractDetails: ({ universe, now }, client, { requestId, contract }) => {
    const found = universe.find(contract)
    if (found.length === 0) return refuse(client, requestId, unknownContract)
    const { send, serverVersion } = client.connection
    for (const listing of found) send(messages.contractDetails(requestId, listing, now(), serverVersion))
    send(messages.contractDetailsEnd(requestId))
  },
  reqMarketRule: ({ universe }, client, { ruleId }) => {
    const rule = universe.marketRules[ruleId]
    if (rule) client.connection.send(messages.marketRule(ruleId, rule))
    else refuse(client, -1, invalid(`market rule ${ruleId} is not known`))
  },
  reqMatchingSymbols: ({ universe }, { connection }, { requestId, pattern }) =>
    connection.send(messages.symbolSamples(requestId, universe.matching(pattern))),
}
