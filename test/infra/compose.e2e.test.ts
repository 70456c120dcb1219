import { expect } from 'chai'
import { compose, type Process } from '../../infra/compose.ts'
import { readEnvironment } from '../../infra/environment.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../../infra/gateway-sim/simulator.ts'
import { openExistingData } from '../../infra/store.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { temporaryFolder } from './cli/ibt.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

describe('a composed process', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let gateway: GatewaySimulator
  let running: Process[] = []

  const environment = (more: Record<string, string> = {}) => {
    const read = readEnvironment({ DATA_DIR: folder.path, IB_PORT: String(gateway.port), ...more })
    if (!read.ok) throw new Error(read.problem)
    return read.value
  }
  const composed = async (more?: Record<string, string>): Promise<Process> => {
    const process = await compose(environment(more), { log: silent })
    running.push(process)
    return process
  }
  beforeEach(async () => {
    folder = temporaryFolder()
    gateway = await startGatewaySimulator({ start: '2020-03-02' })
  })
  afterEach(async () => {
    await Promise.all(running.map((process) => process.stop()))
    running = []
    await gateway.close()
    folder.remove()
  })

  it('is idle only when documents show all that was decided', async () => {
    const process = await composed()
    await process.start()
    await until('the gateway is ready', () => process.engine.ready())
    await process.bus.publish('paper-commands', { data: '{}', attributes: { type: 'reconcile', id: 'r1' } })
    expect(await process.idle()).to.equal(false)
    await until('it is idle', process.idle)
    expect(await process.documents.get('commands/r1')).to.deep.include({ status: 'completed' })
    const { position } = await process.journal.head()
    expect(await process.documents.checkpoint('views')).to.deep.include({ position })
  })

  it('is not idle while documents lag behind', async () => {
    const process = await composed()
    await process.start('engine')
    await until('the gateway is ready', () => process.engine.ready())
    await until('the engine has nothing to do', async () => process.engine.idle() && (await process.bus.idle()))
    expect(await process.idle()).to.equal(false)
    await process.projector.start()
    await until('it is idle', process.idle)
  })

  it('leaves documents at the head of the journal and a free lease when it stops', async () => {
    const first = await composed()
    const { write } = first.documents
    first.documents.write = async (...batch) => {
      await new Promise((resolve) => setTimeout(resolve, 100)) // a store that takes its time
      return write(...batch)
    }
    await first.start()
    await until('the gateway is ready', () => first.engine.ready())
    await first.bus.publish('paper-commands', { data: '{"changes":{"freshMinutes":7}}', attributes: { type: 'configure', id: 'c1' } })
    await until('it is decided', async () => (await first.journal.marker('c1')) !== undefined)
    await first.stop()
    const data = await openExistingData(environment(), readTopics())
    const { position } = await data.journal.head()
    expect(await data.documents.checkpoint('views')).to.deep.include({ position })
    expect(await data.lease.acquire('somebody else', 1_000)).to.have.property('epoch', 2)
    await data.close()
  })

  it('says why it stopped by itself', async () => {
    const process = await composed({ IB_ACCOUNT: 'DU7654321' })
    await process.start()
    expect((await process.stopped).message).to.match(/^ACCOUNT_MISMATCH: account DU7654321/)
  })

  it('keeps the journals of paper and live apart', async () => {
    const paper = await composed()
    await paper.start()
    const problem = await openExistingData(environment({ TRADING_MODE: 'live' }), readTopics()).catch((error: Error) => error.message)
    expect(problem).to.contain('live.sqlite')
  })
})
