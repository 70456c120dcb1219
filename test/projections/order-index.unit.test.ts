import { expect } from 'chai'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { createOrderIndex } from '../../projections/order-index.ts'
import type { View } from '../../projections/view.ts'
import { broker, closed, command, commitsOf, documentsOf, placed, planned, started, type Told } from './story.ts'

/** What the index answers after the last commit. */
const asked = (...told: Told[]): Document => {
  const ask: View = ({ orders }) => [
    {
      kind: 'set',
      path: 'asked/index',
      data: { open: orders.open().map(({ orderRef }) => orderRef), decided: orders.of('alloc-1').map(({ orderRef }) => orderRef) },
    },
  ]
  return documentsOf(ask, ...told).get('asked/index')!
}

const told = [
  started,
  command('allocation', 'alloc-1', planned('r2', { orderId: 2 }), planned('r1', { orderId: 1 })),
  command('allocation', 'alloc-2', planned('r3', { orderId: 3, decision: 'alloc-2' })),
]

describe('the index of the orders', () => {
  it('knows the open ones and those of a decision, by order id', () => {
    expect(asked(...told)).to.deep.equal({ open: ['r1', 'r2', 'r3'], decided: ['r1', 'r2'] })
  })

  it('lets go of what is closed, but not of its decision', () => {
    expect(asked(...told, broker(closed('r1', 'lost')))).to.deep.equal({ open: ['r2', 'r3'], decided: ['r1', 'r2'] })
  })

  it('takes back an order whose end is taken back', () => {
    expect(asked(...told, broker(closed('r1', 'lost')), broker(placed('r1')))).to.deep.include({ open: ['r1', 'r2', 'r3'] })
  })

  it('is silent on orders that the ledger never had', () => {
    expect(asked(started, broker(placed('nobody')), broker(closed('nobody', 'lost')))).to.deep.equal({ open: [], decided: [] })
  })

  it('answers the same when it begins with a ledger that knows orders already', () => {
    const history: Told[] = [...told, broker(closed('r1', 'lost')), broker(closed('r2', 'lost')), broker(placed('r1'))]
    const ledger = initialLedger()
    for (const stored of commitsOf(history)) fold(ledger, stored)
    const index = createOrderIndex(ledger)
    const answer = { open: index.open().map(({ orderRef }) => orderRef), decided: index.of('alloc-1').map(({ orderRef }) => orderRef) }
    expect(answer).to.deep.equal(asked(...history))
    expect(answer).to.deep.equal({ open: ['r1', 'r3'], decided: ['r1', 'r2'] })
  })
})
