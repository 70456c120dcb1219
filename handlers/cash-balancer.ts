/** `cash-balancer`: cash in other currencies goes back to the account's own, where it is worth more than the threshold. */
import { balanceCash, type CashFacts, currenciesOver, pairQuery } from '../domain/cash-balance.ts'
import { CashBalancerBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { decimal } from '../domain/decimal.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { type Broker, BrokerUnavailable, type Contract } from '../domain/ports/broker.ts'
import { lookAtAccount, recordLook } from './fresh-look.ts'
import { defineHandler } from './handler.ts'

const thresholdOf = ({ configuration }: Readonly<Ledger>) => decimal(settingOf(configuration, 'cash.threshold'))

/** A pair that the broker refuses to speak of is none. */
const listed = async (broker: Broker, symbol: string, currency: string): Promise<Contract[]> => {
  try {
    return await broker.contracts(pairQuery(symbol, currency))
  } catch (error) {
    if (error instanceof BrokerUnavailable && error.why === 'refused') return []
    throw error
  }
}

export const cashBalancer = defineHandler({
  body: CashBalancerBody,
  needsBroker: true,
  gather: async (ports, _command, ledger): Promise<CashFacts | undefined> => {
    const threshold = thresholdOf(ledger)
    const look = await lookAtAccount(ports, ledger)
    const base = look?.snapshot.values.baseCurrency
    if (look === undefined || base === undefined) return look && { ...look, pairs: {} }
    const { broker } = ports
    const pairs = await Promise.all(
      currenciesOver(look.snapshot, threshold).map(async (currency) => {
        const [ofCurrency, ofBase] = await Promise.all([listed(broker, currency, base), listed(broker, base, currency)])
        return [currency, { ofCurrency, ofBase }] as const
      }),
    )
    return { ...look, pairs: Object.fromEntries(pairs) }
  },
  decide: (decision) => {
    const { ledger, command, facts, now } = decision
    const { dryRun = false } = command.body
    const { trading } = ledger
    if (facts === undefined) return refuse('GATEWAY_NOT_READY')
    if (!trading.on && !dryRun) return refuse('HALTED', trading.reason)
    const { takenAt, values } = facts.snapshot
    const base = values.baseCurrency
    if (base === undefined) return refuse('BASE_CURRENCY_MISSING')
    const { events, after } = recordLook(decision, facts)
    const threshold = thresholdOf(ledger)
    const { conversions, orders } = balanceCash(ledger, after, facts, { command: command.id, base, threshold, now })
    const balanced = event('CashBalanced', {
      ...{ dryRun, baseCurrency: base, threshold, takenAt, conversions },
      ...(trading.on ? {} : { wouldRefuse: 'HALTED' }),
    })
    return [...events, balanced, ...(dryRun ? [] : orders.map((order) => event('OrderPlanned', order)))]
  },
})
