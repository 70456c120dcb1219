/** A backup is taken while the engine writes, restored, proven, and traded on. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { type Rig, startTrading } from '../../rig.ts'
import { begin, ibt, temporaryFolder } from './ibt.ts'

type Proven = { file: string; commits: number; events: number; head: { position: number; hash: string } }

/** As the help of ibt backup says it: nothing of the old store may stay beside the copy. */
const restore = (backup: string, folder: string): void => {
  const away = join(folder, 'away')
  mkdirSync(away, { recursive: true })
  for (const name of readdirSync(folder)) if (name.startsWith('paper.sqlite')) renameSync(join(folder, name), join(away, name))
  copyFileSync(backup, join(folder, 'paper.sqlite'))
}

describe('ibt backup', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  after(folder.remove)
  const provenIn = (run: { code: number | null; out: string; errors: string }): Proven => {
    expect(run.code, run.errors).to.equal(0)
    return JSON.parse(run.out) as Proven
  }

  it('writes over nothing, and says what is missing', async () => {
    const there = join(folder.path, 'there.sqlite')
    writeFileSync(there, 'of somebody')
    const DATA_DIR = join(folder.path, 'empty')
    openStore(join(DATA_DIR, 'paper.sqlite')).close()
    const [taken, nowhere, none, google] = await Promise.all([
      ibt(['backup', there], { DATA_DIR }),
      ibt(['backup', join(folder.path, 'no', 'where')], { DATA_DIR }),
      ibt(['backup', join(folder.path, 'none.sqlite')], { DATA_DIR: join(folder.path, 'none') }),
      ibt(['backup', 'x'], { STORE: 'google', GOOGLE_CLOUD_PROJECT: 'my-project-1' }),
    ])
    expect(taken.errors).to.contain(`there is something at ${there} already`)
    expect(nowhere.errors).to.contain('there is no folder')
    expect(none.errors).to.contain('there is no store at')
    expect(google.errors).to.match(/^ibt: STORE is google: Firestore makes its own backups/)
    expect([taken, nowhere, none, google].map(({ code }) => code)).to.deep.equal([1, 1, 1, 1])
    expect(existsSync(join(folder.path, 'none.sqlite'))).to.equal(false)
  })

  describe('of an engine that trades', () => {
    let rig: Rig
    beforeEach(async () => {
      rig = await startTrading({ names: ['Trend'] })
      await rig.want({ trend: '10' })
      await rig.run('first')
      await rig.driver.runTo(newYorkTime('2020-02-04', '11:00'))
    })
    afterEach(() => rig.stop())
    const book = () => rig.composed.engine.ledger.books['trend']
    const position = () => rig.composed.engine.ledger.position

    it('copies one moment of a store that is being written; it verifies, and the engine goes on from it', async () => {
      const file = join(folder.path, 'moment.sqlite')
      const begun = position()
      const backing = begin(['backup', file], { DATA_DIR: rig.dataDirectory })
      for (let count = 1; backing.child.exitCode === null; count++)
        await rig.command('configure', { changes: { freshMinutes: 100 + (count % 2) } })
      const { head } = provenIn(await backing.ended)
      await rig.command('configure', { changes: { freshMinutes: 99 } })
      expect(head.position).to.be.within(begun, position() - 1)
      const whole = await rig.commits()

      const aside = join(folder.path, 'aside')
      mkdirSync(aside)
      restore(file, aside)
      const rebuilt = await ibt(['rebuild'], { DATA_DIR: aside })
      expect(rebuilt.code, rebuilt.errors).to.equal(0)
      expect(provenIn(await ibt(['verify'], { DATA_DIR: aside })).head).to.deep.equal(head)
      expect(whole[head.position]).to.have.property('previousHash', head.hash)

      await rig.restart(() => restore(file, rig.dataDirectory))
      expect(Object.values(book()!)).to.deep.equal(['10'])
      await rig.want({ trend: '15' })
      await rig.run('second')
      await rig.driver.runTo(newYorkTime('2020-02-04', '12:00'))
      expect(Object.values(book()!)).to.deep.equal(['15'])
      expect((await rig.state()).orders.map(({ status }) => status)).to.deep.equal(['Filled', 'Filled'])
      expect(provenIn(await ibt(['verify'], { DATA_DIR: rig.dataDirectory })).commits).to.be.greaterThan(head.position + 3)
    })

    it('knows nothing of later trades: the engine finds them at the broker, and orders nothing there until they are explained', async () => {
      const file = join(folder.path, 'older.sqlite')
      provenIn(await ibt(['backup', file], { DATA_DIR: rig.dataDirectory }))
      await rig.want({ trend: '40' })
      await rig.run('lost')
      await rig.driver.runTo(newYorkTime('2020-02-04', '12:00'))
      expect((await rig.state()).positions.map(({ quantity }) => quantity)).to.deep.equal([40])
      await rig.restart(() => restore(file, rig.dataDirectory))
      await rig.want({ trend: '25' })
      await rig.run('doubtful')
      await rig.driver.runTo(newYorkTime('2020-02-04', '13:00'))
      expect((await rig.state()).orders).to.have.length(2)
      expect((await rig.events('DiscrepancyFound')).map(({ symbol }) => symbol)).to.include('SPY')
      const explained = await rig.command('explain', { instrument: 'SPY', quantity: '30', as: 'book', strategy: 'trend' })
      expect(explained, JSON.stringify(explained)).to.include({ status: 'completed' })
      await rig.run('again')
      await rig.driver.runTo(newYorkTime('2020-02-04', '14:00'))
      const { positions, received } = await rig.state()
      expect(positions.map(({ quantity }) => quantity)).to.deep.equal([25])
      const counts = Object.values(received).flatMap((orders) => orders.map(({ count }) => count))
      expect(counts).to.deep.equal([1, 1, 1])
    })
  })
})
