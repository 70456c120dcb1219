/** From a halt that somebody asks for to the chat that hears of it, through a process as `ibt start` runs it. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { until } from '../../contract/until.ts'
import { begin, ibt, temporaryFolder } from './ibt.ts'

type Said = { text: string }

describe('ibt alerts', function () {
  this.timeout(180_000)
  let folder: ReturnType<typeof temporaryFolder>
  let chat: Server
  let heard: Said[]
  let status: number
  let url: string
  beforeEach(async () => {
    folder = temporaryFolder()
    heard = []
    status = 200
    chat = createServer((request, response) => {
      let text = ''
      request.on('data', (part) => {
        text += part
      })
      request.on('end', () => {
        heard.push(JSON.parse(text) as Said)
        response.writeHead(status).end('ok')
      })
    })
    await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(chat.address() as AddressInfo).port}/hooks/secret-of-the-chat`
  })
  afterEach(async () => {
    await new Promise<void>((resolve) => void chat.close(() => resolve()))
    folder.remove()
  })

  it('are told once by a running engine, and listed afterwards', async () => {
    const gateway: GatewaySimulator = await startGatewaySimulator()
    const environment = { DATA_DIR: folder.path, IB_PORT: String(gateway.port), ALERT_WEBHOOK_URL: url }
    const engine = begin(['start'], environment)
    try {
      await until('the gateway is ready', () => engine.errors().includes('the gateway is ready'), 30_000)
      const halted = await ibt(['publish', 'halt', '--data', '{"reason":"the news"}'], environment)
      expect(halted.code, halted.errors).to.equal(0)
      await until('the chat has heard', () => heard.length > 0, 60_000)
      expect(heard.map(({ text }) => text)).to.deep.equal(['ib-trading paper: Trading is halted'])
      expect(engine.errors()).to.not.include('secret-of-the-chat')
    } finally {
      await engine.stop()
      await gateway.close()
    }
    const listed = await ibt(['alerts'], environment)
    const [alert, ...others] = listed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(alert).to.deep.include({ title: 'Trading is halted', text: 'the news', waiting_for: [] })
    expect(alert.next).to.include('ibt publish resume')
    expect(others).to.deep.equal([])
  })

  it('can be tried, and say which channel did not take it', async () => {
    const tried = await ibt(['alerts', 'test'], { ALERT_WEBHOOK_URL: url })
    expect([tried.code, JSON.parse(tried.out)]).to.deep.equal([0, { channel: 'webhook', sent: true }])
    expect(heard[0]!.text).to.equal('ib-trading paper: A test: alerts come through here')
    status = 410
    const refused = await ibt(['alerts', 'test'], { ALERT_WEBHOOK_URL: url })
    expect([refused.code, refused.errors]).to.deep.equal([1, 'ibt: not sent: webhook (it answered 410: ok)\n'])
    const none = await ibt(['alerts', 'test'], {})
    expect(none.code).to.equal(1)
    expect(none.errors).to.match(/^ibt: no channel is set: ALERT_WEBHOOK_URL/)
  })
})
