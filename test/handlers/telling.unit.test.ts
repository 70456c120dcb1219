import { expect } from 'chai'
import type { Cause } from '../../domain/commit.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Order } from '../../domain/order.ts'
import { aboutCommand, requestOf, tell } from '../../handlers/telling.ts'
import type { Committed } from '../../handlers/writer.ts'

type Line = { level: string; fields: Record<string, unknown>; text: string }

const ledger = initialLedger()
ledger.orders['of-k1'] = { orderRef: 'of-k1', correlationId: 'k1' } as Order
ledger.orders['of-k2'] = { orderRef: 'of-k2', correlationId: 'k2' } as Order
ledger.orders['of-none'] = { orderRef: 'of-none' } as Order

const told = (cause: Cause, ...events: DomainEvent[]): Line[] => {
  const lines: Line[] = []
  const say = (level: string) => (fields: object, text: string) => void lines.push({ level, fields: fields as Line['fields'], text })
  const commit = { position: 7, epoch: 1, recordedAt: '', cause, events: [], previousHash: '' }
  tell({ commit, events } as Committed, ledger, { info: say('info'), warn: say('warn'), error: say('error') })
  return lines
}
const command: Cause = {
  kind: 'command',
  id: 'c1',
  type: 'halt',
  publishedAt: '',
  source: 'http',
  actor: 'anna@example.org',
  correlationId: 'k9',
}
const fill = (orderRef: string) =>
  event('FillReceived', { orderRef, executionId: '1.1', conId: 1, symbol: 'SPY', quantity: '5', price: '300', shares: [] })

describe('what the log says of a decision', () => {
  it('names the command, who gave it, the request it goes back to, and what was decided', () => {
    const [line, alert] = told(command, event('TradingHalted', { reason: 'the news', publishedAt: '', cancelWorking: false }))
    const about = { command: 'c1', type: 'halt', actor: 'anna@example.org', correlationId: 'k9' }
    expect(line).to.deep.equal({
      level: 'info',
      fields: { ...about, source: 'http', position: 7, events: ['TradingHalted'] },
      text: 'halt decided: TradingHalted',
    })
    expect(alert).to.deep.equal({ level: 'warn', fields: about, text: 'trading is halted: the news' })
  })

  it('names the request of an order long after its command, when the broker reports', () => {
    const cause: Cause = { kind: 'broker', report: 'execution' }
    expect(told(cause, fill('of-k1'))).to.deep.equal([
      {
        level: 'info',
        fields: { orderRef: 'of-k1', correlationId: 'k1', event: 'FillReceived', position: 7 },
        text: '5 SPY filled at 300',
      },
    ])
    expect(told(cause, fill('of-none'))[0]!.fields).to.not.have.property('correlationId')
  })

  it('says nothing of what concerns nobody', () => {
    expect(
      told({ kind: 'broker', report: 'commission' }, event('CommissionReported', { executionId: '1.1', commission: '1', currency: 'USD' })),
    ).to.deep.equal([])
  })

  it('leaves out what a command does not say', () => {
    expect(aboutCommand({ id: 'c1', type: 'halt' })).to.deep.equal({ command: 'c1', type: 'halt' })
  })

  it('knows the request of reports together only where it is one', () => {
    expect(requestOf(ledger, [fill('of-k1'), fill('of-k1')])).to.deep.equal({ correlationId: 'k1' })
    for (const others of [['of-k1', 'of-k2'], ['of-k1', 'of-none'], ['of-none'], ['nobody'], []])
      expect(requestOf(ledger, others.map(fill))).to.deep.equal({})
  })
})
