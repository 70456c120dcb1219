/** Nights that are known by name: the crash, or the silence, at the very place where it hurts most. */
import { expect } from 'chai'
import { type Action, setUp } from './history.ts'
import { violationsOf } from './invariants.ts'
import { parseJournal, type Told } from './journal-text.ts'
import { act, comeToRest, newYork } from './live.ts'
import { createWorld, type Patches, type World } from './world.ts'

const [second, minute, hour] = [1_000, 60_000, 3_600_000]

const orchestrator = (id: string, times = 1): Action => ({ do: 'publish', type: 'orchestrator', id, body: {}, publishedAgo: 0, times })

/** A world in which nothing fails by itself, switched on, in the middle of a session. */
const trading = async (seed: string, { time = '11:00', patches = {} }: { time?: string; patches?: Patches } = {}): Promise<World> => {
  const world = createWorld({ seed, start: newYork('2026-03-10', time), calm: true, story: true, patches })
  world.start('engine')
  world.start('projector')
  for (const action of setUp) await act(world, action)
  return world
}
const told = (world: World, type: string): Told[] => parseJournal(world.memory.commits).filter((event) => event.type === type)
const refs = (events: readonly Told[]): string[] => events.map(({ data }) => data['orderRef'])
const received = (world: World): string[] => world.broker.receipts.map(({ ticket }) => ticket.orderRef)
const ends = (world: World): string[] => told(world, 'OrderClosed').map(({ data }) => data['how'])

const expectSound = async (world: World): Promise<void> => {
  await comeToRest(world)
  expect(await violationsOf(world), world.story.join('\n')).to.deep.equal([])
}

describe('a crash', function () {
  this.timeout(180_000)

  it('between OrderPlanned and the socket: the plan is doubted, lost in the end, and never sent', async () => {
    const world = await trading('before the socket')
    world.crashAt('engine', (point) => point === 'broker.place, before', second)
    await act(world, orchestrator('daily'))
    await world.clock.pass(3 * minute)
    const planned = refs(told(world, 'OrderPlanned'))
    expect(planned).to.have.length.greaterThan(0)
    expect(refs(told(world, 'OrderUnresolved'))).to.have.members(planned)
    await expectSound(world)
    expect(received(world)).to.deep.equal([])
    expect(ends(world)).to.deep.equal(planned.map(() => 'lost'))
  })

  it('between the socket and OrderPlaced: the order is found at the broker, or doubted, and never sent again', async () => {
    const found = new Set<boolean>()
    for (let night = 1; night <= 8; night++) {
      const world = await trading(`behind the socket ${night}`)
      world.crashAt('engine', (point) => point === 'broker.place, done', second)
      await act(world, orchestrator('daily'))
      await world.clock.pass(3 * minute)
      const [first = ''] = refs(told(world, 'OrderPlanned'))
      const arrived = received(world).includes(first)
      found.add(arrived)
      expect(refs(told(world, arrived ? 'OrderPlaced' : 'OrderUnresolved'))).to.include(first)
      await expectSound(world)
      expect(received(world)).to.deep.equal(arrived ? [first] : [])
    }
    expect(found, 'some orders arrived, and some were lost with the socket').to.deep.equal(new Set([true, false]))
  })

  it('when the broker has the order and OrderPlaced is not yet appended: it is found by its ref', async () => {
    const world = await trading('before OrderPlaced')
    world.crashAt('engine', (point) => point === 'journal.append, before' && world.broker.orders.length > 0, second)
    await act(world, orchestrator('daily'))
    await world.clock.pass(minute)
    expect(world.crashes.get('journal.append, before')).to.equal(1)
    expect(refs(told(world, 'OrderPlaced'))).to.include(received(world)[0])
    await expectSound(world)
    expect(told(world, 'FillReceived')).to.have.length.greaterThan(0)
  })

  for (const side of ['before', 'done'])
    it(`between a fill and the answer to its append (${side}): the fill is in the books once`, async () => {
      const world = await trading(`fill, ${side}`)
      world.crashAt('engine', (point) => point === `journal.append, ${side}` && world.broker.everyExecution().length > 0, second)
      await act(world, orchestrator('daily'))
      await world.clock.pass(5 * minute)
      expect(world.crashes.get(`journal.append, ${side}`)).to.equal(1)
      await expectSound(world)
      const fills = told(world, 'FillReceived').map(({ data }) => data['executionId'])
      expect(fills).to.have.length(new Set(fills).size)
      expect(fills).to.have.members(world.broker.everyExecution().map(({ execution }) => execution.executionId))
    })

  it('while documents are written: the next projector writes them again', async () => {
    const world = await trading('documents')
    world.crashAt('projector', (point) => point === 'documents.write, done', second)
    await act(world, orchestrator('daily'))
    await world.clock.pass(minute)
    expect(world.crashes.get('documents.write, done')).to.equal(1)
    await expectSound(world)
  })
})

describe('an engine that is down over midnight while its orders fill', function () {
  this.timeout(180_000)

  const nextMorning = async (): Promise<World> => {
    const world = await trading('midnight', { time: '15:00' })
    world.crashAt('engine', (point) => point === 'journal.append, before' && world.broker.everyExecution().length > 0, 15 * hour)
    await act(world, orchestrator('daily'))
    await world.clock.pass(10 * minute)
    await world.clock.skipTo(newYork('2026-03-11', '09:00'))
    await world.clock.pass(5 * minute)
    return world
  }

  it('finds what the broker holds, and gives it to nobody', async () => {
    const world = await nextMorning()
    expect(world.broker.executions(), 'forgotten at midnight').to.deep.equal([])
    expect(told(world, 'FillReceived')).to.deep.equal([])
    const last = told(world, 'PositionReconciled').at(-1)!
    const held = [...world.broker.positions].map(([conId, quantity]) => [conId, String(quantity)])
    expect(
      last.data['differences'].map((line: { conId: number; unexplained: string }) => [line.conId, line.unexplained]),
    ).to.have.deep.members(held)
    expect(told(world, 'DiscrepancyFound')).to.have.length(held.length)
    expect(refs(told(world, 'OrderUnresolved'))).to.have.members(refs(told(world, 'OrderPlanned')))
  })

  it('orders nothing in the instrument until a person confirms the fill', async () => {
    const world = await nextMorning()
    const blocked = told(world, 'DiscrepancyFound').map(({ data }) => data['conId'])
    expect(blocked).to.have.length.greaterThan(0)
    const before = world.broker.receipts.length
    await act(world, orchestrator('next-day'))
    await world.clock.pass(minute)
    for (const { ticket } of world.broker.receipts.slice(before)) expect(blocked).not.to.include(ticket.contract.conId)
    expect(
      told(world, 'AllocationDecided')
        .at(-1)!
        .data['notes'].map(({ code }: { code: string }) => code),
    ).to.include('BLOCKED')
    for (const { data } of told(world, 'DiscrepancyFound')) {
      const { orderRef, quantity } = data['proposedFill']
      world.publish('explain', `explain-${data['conId']}`, { instrument: data['conId'], quantity, as: 'fill', orderRef })
    }
    await world.clock.pass(minute)
    expect(told(world, 'DiscrepancyExplained').map(({ data }) => data['unexplained'])).to.satisfy((left: string[]) =>
      left.every((rest) => rest === '0'),
    )
    await expectSound(world)
    expect(told(world, 'PositionReconciled').at(-1)!.data['differences']).to.deep.equal([])
  })
})

describe('the engine', function () {
  this.timeout(180_000)

  it('decides a command once when three deliveries of it arrive together and acknowledging takes its time', async () => {
    const world = await trading('three at once')
    await act(world, orchestrator('daily', 3))
    await world.clock.pass(minute)
    expect(told(world, 'PipelineStarted')).to.have.length(1)
    expect(world.postOffice.pending()).to.deep.equal([])
    await expectSound(world)
  })

  it('stops cleanly when the journal goes away with steps in its queue, and the next one carries on', async () => {
    let away = true
    const world = await trading('journal away', {
      patches: {
        journal: (journal, { clock }) => ({
          ...journal,
          append: async (commit) => {
            const isStep = commit.cause.kind === 'command' && commit.cause.pipeline !== undefined
            if (!away || !isStep) return journal.append(commit)
            away = false
            await new Promise<void>((resolve) => void clock.after(5 * second, resolve))
            throw new Error('the journal is away')
          },
        }),
      },
    })
    await act(world, orchestrator('daily'))
    await world.clock.pass(2 * minute)
    expect(told(world, 'EngineStarted')).to.have.length(2)
    expect(told(world, 'PipelineEnded').map(({ data }) => data['outcome'])).to.deep.equal(['completed'])
    await expectSound(world)
  })

  it('asks anew when the broker says that its link is up without having said that it was down', async () => {
    const world = await trading('link')
    world.exchange.cutLink(2 * second)
    world.exchange.cutLink(5 * second)
    await world.clock.pass(minute)
    expect(world.engine()?.ready()).to.equal(true)
    await expectSound(world)
  })

  it('gives each order an id of its own, whatever next valid id the broker names after a restart', async () => {
    const world = await trading('ids')
    await act(world, orchestrator('first'))
    await world.clock.pass(minute)
    world.broker.rollBack()
    world.stopEngine(second)
    await world.clock.pass(minute)
    await act(world, orchestrator('second'))
    await world.clock.pass(5 * minute)
    const ids = told(world, 'OrderPlanned').map(({ data }) => data['orderId'])
    expect(ids).to.have.length.greaterThan(2)
    expect(ids).to.have.length(new Set(ids).size)
    await expectSound(world)
  })

  it('leaves its orders at the broker when it is told to stop, and finds their fills when it is back', async () => {
    const world = await trading('stop')
    world.crashAt('projector', () => false, 0)
    await act(world, orchestrator('daily'))
    await world.clock.pass(150)
    world.stopEngine(2 * minute)
    await world.clock.pass(5 * minute)
    expect(world.broker.orders.filter(({ status }) => status === 'Cancelled')).to.deep.equal([])
    await expectSound(world)
    expect(told(world, 'FillReceived')).to.have.length.greaterThan(0)
  })
})
