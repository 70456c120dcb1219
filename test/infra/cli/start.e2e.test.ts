import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { begin, beginGateway, ibt, type Running, temporaryFolder } from './ibt.ts'

describe('ibt start, publish and gateway-sim', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const running: Running[] = []
  let gateway: Awaited<ReturnType<typeof beginGateway>>
  let stores = 0

  const keep = <R extends Running>(process: R): R => {
    running.push(process)
    return process
  }
  const newStore = (): string => {
    stores += 1
    return join(folder.path, `store${stores}`)
  }
  const at = (DATA_DIR: string, more: Record<string, string> = {}) => ({ DATA_DIR, IB_PORT: String(gateway.port), ...more })
  const ready = (engine: Running) =>
    until(
      'the engine is ready',
      () => {
        if (engine.child.exitCode !== null) throw new Error(engine.errors())
        return engine.errors().includes('the gateway is ready')
      },
      60_000,
    )

  before(async () => {
    gateway = keep(await beginGateway('--start', '2020-03-02', '--seed', '5'))
  })
  after(async () => {
    await Promise.all(running.map(({ stop }) => stop('SIGKILL')))
    folder.remove()
  })

  it('carries out what is published, and says what became of it by its exit code', async () => {
    const DATA_DIR = newStore()
    const engine = keep(begin(['start'], at(DATA_DIR)))
    await ready(engine)

    const reconciled = await ibt(['publish', 'reconcile', '--id', 'r1'], at(DATA_DIR))
    expect([reconciled.code, reconciled.errors]).to.deep.equal([0, ''])
    expect(JSON.parse(reconciled.out)).to.deep.include({ type: 'reconcile', source: 'cli', status: 'completed' })

    const again = await ibt(['publish', 'reconcile', '--id', 'r1'], at(DATA_DIR))
    expect(again.out).to.equal(reconciled.out)

    const failed = await ibt(['publish', 'SPY_MACD_VIXY', '--data', '{"dryRun": true}', '--id', 's1'], at(DATA_DIR))
    expect(failed.code).to.equal(1)
    expect(failed.errors).to.match(/^ibt: s1 ended failed: BARS_STALE: .*\n$/)
    expect(JSON.parse(failed.out)).to.deep.include({ type: 'spymacdvixy', status: 'failed' })

    const mistaken = await ibt(['publish', 'configure', '--data', '{"changes": {"nothing": 1}}'], at(DATA_DIR))
    expect([mistaken.code, mistaken.errors]).to.deep.equal([1, 'ibt: --data: "nothing" is not a setting\n'])
    const money = '{"changes": {"strategies.nobody.allocation": 0.1}}'
    const refused = await ibt(['publish', 'configure', '--data', money, '--id', 'c1'], at(DATA_DIR))
    expect(refused.code).to.equal(1)
    expect(refused.errors).to.contain('c1 ended refused: CONFIGURATION_INVALID')

    const halted = await ibt(['publish', 'orchestrator', '--id', 'o1'], at(DATA_DIR))
    expect([halted.code, halted.errors]).to.deep.equal([
      1,
      'ibt: o1 ended refused: HALTED: trading is halted: trading is off until the first resume\n',
    ])

    const ended = await engine.stop()
    expect([ended.code, ended.out]).to.deep.equal([0, ''])
    expect((await ibt(['verify'], at(DATA_DIR))).code).to.equal(0)
  })

  it('gives the lease back at SIGTERM, so that the next one starts at once and takes up where it was', async () => {
    const DATA_DIR = newStore()
    const first = keep(begin(['start'], at(DATA_DIR)))
    await ready(first)
    expect((await first.stop()).code).to.equal(0)
    const waiting = await ibt(['publish', 'resume', '--id', 'waits', '--wait', '0'], at(DATA_DIR))
    expect([waiting.code, JSON.parse(waiting.out).topic]).to.deep.equal([0, 'paper-commands'])
    const second = keep(begin(['start'], at(DATA_DIR)))
    await ready(second)
    const seen = await ibt(['publish', 'resume', '--id', 'waits'], at(DATA_DIR))
    expect(seen.code, seen.errors).to.equal(0)
    const status = JSON.parse((await ibt(['document', 'status/paper'], at(DATA_DIR))).out)
    expect(status).to.deep.include({ epoch: 2 })
    expect(status.trading.on).to.equal(true)
    expect((await second.stop('SIGINT')).code).to.equal(0)
  })

  it('runs engine and projections in processes of their own', async () => {
    const DATA_DIR = newStore()
    const engine = keep(begin(['start', '--role', 'engine'], at(DATA_DIR)))
    await ready(engine)
    const unseen = await ibt(['publish', 'reconcile', '--id', 'r1', '--wait', '1'], at(DATA_DIR))
    expect([unseen.code, unseen.out]).to.deep.equal([1, ''])
    expect(unseen.errors).to.contain('r1 is published, but was not decided within 1 s')
    const projections = keep(begin(['start', '--role', 'projections'], { DATA_DIR }))
    const seen = await ibt(['publish', 'reconcile', '--id', 'r1'], at(DATA_DIR))
    expect([seen.code, seen.errors]).to.deep.equal([0, ''])
    const codes = await Promise.all([engine.stop(), projections.stop()])
    expect(codes.map(({ code }) => code)).to.deep.equal([0, 0])
  })

  it('waits for a gateway that is not there, and stops cleanly all the same', async () => {
    const DATA_DIR = newStore()
    const engine = keep(begin(['start'], { DATA_DIR, IB_PORT: '1' }))
    const configured = await ibt(['publish', 'configure', '--data', '{"changes": {"strategies.dummy.allocation": 0.5}}'], { DATA_DIR })
    expect(configured.code, configured.errors).to.equal(0)
    expect((await engine.stop()).code).to.equal(0)
  })

  it('stops with one line when the account is not the right one', async () => {
    const other = await ibt(['start'], at(newStore(), { IB_ACCOUNT: 'DU7654321', LOG_LEVEL: 'silent' }))
    expect(other).to.deep.equal({
      code: 1,
      out: '',
      errors: 'ibt: ACCOUNT_MISMATCH: account DU7654321 is not managed by this login (it has DU1234567)\n',
    })
    const live = await ibt(['start'], at(newStore(), { TRADING_MODE: 'live', IB_ACCOUNT: 'DU1234567', LOG_LEVEL: 'silent' }))
    expect(live.code).to.equal(1)
    expect(live.errors).to.contain('ACCOUNT_MISMATCH')
  })

  it('names the variable or argument that is wrong, before anything is opened', async () => {
    const DATA_DIR = newStore()
    const wrong: [Record<string, string>, string[], string][] = [
      [{ IB_PORT: 'abc' }, [], 'ibt: IB_PORT: must be a whole number from 1 to 65535, got "abc"'],
      [{ TRADING_MODE: 'live' }, [], 'ibt: IB_ACCOUNT: live trading needs the account to be named'],
      [{ STORE: 'google' }, [], 'ibt: GOOGLE_CLOUD_PROJECT: STORE=google needs the project'],
      [{ STRATEGIES_DIR: join(folder.path, 'none') }, [], 'cannot be read (ENOENT)'],
      [{}, ['--role', 'page'], "option '--role <role>' argument 'page' is invalid"],
    ]
    for (const [variables, args, says] of wrong) {
      const { code, out, errors } = await ibt(['start', ...args], { DATA_DIR, ...variables })
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors)
        .to.contain(says)
        .and.not.match(/\n +at /)
    }
    expect(existsSync(DATA_DIR)).to.equal(false)
  })

  it('lets no mistake reach a topic', async () => {
    const DATA_DIR = newStore()
    const wrong: [string[], RegExp][] = [
      [['frobnicate'], /^ibt: there is no command "frobnicate"; there are allocation, .*\n$/],
      [['allocation-round'], /there is no command "allocation-round"/],
      [['halt', '--data', '{"raeson": "typo"}'], /^ibt: --data: .*raeson.*\n$/],
      [['halt', '--data', '{"reason"'], /^ibt: --data: not JSON: .*\n$/],
      [['halt', '--data', '[]'], /^ibt: --data: must be a JSON object\n$/],
      [['halt', '--id', 'a b'], /^ibt: --id: "a b" must begin with a letter or digit/],
      [['halt', '--wait', 'long'], /--wait/],
    ]
    for (const [args, says] of wrong) {
      const { code, out, errors } = await ibt(['publish', ...args], { DATA_DIR })
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors).to.match(says)
    }
    expect(existsSync(DATA_DIR)).to.equal(false)
  })

  it('lists what was given up, with the reason', async () => {
    const DATA_DIR = newStore()
    const data = await openData({ dataDirectory: DATA_DIR, mode: 'paper', store: { kind: 'embedded' } }, readTopics())
    await data.bus.publish('paper-commands', { data: '{}', attributes: { source: 'test' } })
    await data.close()
    const engine = keep(begin(['start'], at(DATA_DIR)))
    await ready(engine)
    await until('it is dead-lettered', async () => (await ibt(['dead-letters'], { DATA_DIR })).out !== '', 60_000)
    const { out } = await ibt(['dead-letters'], { DATA_DIR })
    expect(JSON.parse(out)).to.deep.include({ reason: 'the attribute "type" is missing', subscription: 'paper-commands-engine' })
    expect((await engine.stop()).code).to.equal(0)
  })

  it('gateway-sim tells its ports and ends at SIGTERM; it names what is wrong', async () => {
    const own = keep(await beginGateway('--start', '2020-03-02T15:00:00Z'))
    const state = await (await fetch(`http://127.0.0.1:${own.controlPort}/state`)).json()
    expect(state).to.deep.include({ clock: '2020-03-02T15:00:00.000Z', account: 'DU1234567' })
    expect((await own.stop()).code).to.equal(0)
    const wrong: [string[], string][] = [
      [['--port', '70000'], '--port'],
      [['--bars', 'SPY'], '--bars: expected SYMBOL=FILE'],
      [['--bars', 'A=a.csv', '--bars', 'A=b.csv'], '--bars: A is given twice'],
      [['--spread', 'wide'], '--spread: not a valid number: "wide"'],
      [['--commission', 'free'], 'commission: expected fixed, tiered, none'],
      [['--script', '/nowhere.yaml'], 'script: /nowhere.yaml: ENOENT'],
      [['--bars', 'SPY=/nowhere.csv'], '/nowhere.csv'],
      [['--start', 'yesterday'], 'start'],
      [['--port', String(gateway.port)], 'is in use by another program'],
    ]
    for (const [args, says] of wrong) {
      const { code, errors } = await ibt(['gateway-sim', ...args])
      expect(code, args.join(' ')).to.equal(1)
      expect(errors)
        .to.contain(says)
        .and.not.match(/\n +at /)
    }
  })
})
