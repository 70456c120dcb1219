import { expect } from 'chai'
import type { Configuration } from '../../domain/configuration.ts'
import { event } from '../../domain/events.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { digestOf } from '../../projections/edit.ts'
import { type HandEdits, patienceMs } from '../../projections/hand-edits.ts'
import type { Projector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { createWorld, trading, type World } from './hand-edits-world.ts'
import { changed, command, connected, snapshot, started } from './story.ts'

const own = 'config/paper'
const common = 'config/common'
const halted = { type: 'halt', reason: 'trading was switched off in config/paper by hand' }

describe('hand edits', () => {
  let world: World
  let projector: Projector
  let watcher: HandEdits
  beforeEach(async () => {
    world = createWorld()
    world.append(...trading)
    projector = await world.projector()
  })
  afterEach(() => world.stop())

  const watch = async (): Promise<void> => {
    watcher = await world.watcher()
  }
  const settled = () => world.settled(watcher, projector)
  const agrees = async (): Promise<void> => {
    expect(await projector.comparison()).to.deep.include({ different: [], missing: [], extra: [] })
  }
  const types = () => world.commands().map(({ type }) => type)

  it('leave intact documents alone', async () => {
    const version = world.memory.checkpoints.get('views')!.version
    await watch()
    await settled()
    expect(world.commands()).to.deep.equal([])
    expect(world.memory.checkpoints.get('views')!.version).to.equal(version)
    expect(world.warnings).to.deep.equal([])
  })

  it('wait for the first commit', async () => {
    const young = createWorld()
    young.edit(own, { tradingEnabled: false })
    const early = await young.watcher()
    expect(early.idle()).to.equal(true)
    young.append(started)
    const first = await young.projector()
    await young.settled(early, first)
    expect(young.commands()).to.deep.equal([])
    expect(await first.comparison()).to.deep.include({ different: [], missing: [], extra: [] })
    await young.stop()
  })

  describe('of the switch', () => {
    it('halt by the urgent way, as the console, with the time of publication', async () => {
      await watch()
      world.set(own, { tradingEnabled: false })
      await settled()
      expect(world.commands()).to.deep.equal([halted])
      const { topic, attributes } = world.published[0]!
      expect(topic).to.equal('paper-urgent')
      expect(attributes).to.include({ type: 'halt', source: 'console', actor: 'console', publishedAt: '2026-11-21T15:00:00.000Z' })
      expect(attributes['id']).to.match(/^console-[0-9a-f]{40}$/)
      expect(world.ledger().trading).to.include({ on: false, reason: halted.reason })
      expect(world.shown(`commands/${attributes['id']}`)).to.include({ status: 'completed', actor: 'console' })
      await agrees()
    })

    it('halt by what cannot be read, and take away what else was written there', async () => {
      await watch()
      world.edit(own, { tradingEnabled: 'nein', note: 'it burns' })
      await settled()
      expect(world.commands()).to.deep.equal([halted])
      expect(world.ledger().trading.on).to.equal(false)
      expect(world.shown(own)).to.have.all.keys('tradingEnabled', 'reason', 'account', 'updated_at')
      await agrees()
    })

    it('are put back where the field or the document is gone, and trading goes on', async () => {
      await watch()
      const { tradingEnabled: _, ...rest } = world.shown(own)!
      for (const found of [rest, undefined]) {
        world.edit(own, found as Document | undefined)
        await settled()
        expect(world.shown(own)).to.include({ tradingEnabled: true })
      }
      expect(world.commands()).to.deep.equal([])
      expect(world.warnings.join('\n')).to.contain('tradingEnabled was taken away').and.to.contain('the document was deleted')
      await agrees()
    })

    it('do not switch on', async () => {
      world.append(
        command('halt', 'h1', event('TradingHalted', { reason: 'x', publishedAt: '2026-11-21T14:00:00.000Z', cancelWorking: false })),
      )
      await watch()
      await settled()
      world.set(own, { tradingEnabled: true })
      await settled()
      expect(world.commands()).to.deep.equal([])
      expect(world.shown(own)).to.include({ tradingEnabled: false })
      expect(world.warnings.join('\n')).to.contain('publish resume')
      await agrees()
    })

    it('are put back where they change what is not a switch', async () => {
      await watch()
      world.set(own, { reason: 'mine', account: 'DU9', updated_at: 'now', note: 1 })
      await settled()
      expect(world.commands()).to.deep.equal([])
      for (const field of ['reason', 'account', 'updated_at', 'note']) expect(world.warnings[0]).to.contain(field)
      await agrees()
    })

    it('halt each time anew after a resume', async () => {
      await watch()
      for (const round of [1, 2]) {
        world.set(own, { tradingEnabled: false })
        await settled()
        expect(types()).to.have.length(round)
        expect(world.ledger().trading.on).to.equal(false)
        world.append(command('resume', `again-${round}`, event('TradingResumed', { reason: 'checked' })))
        await settled()
        expect(world.shown(own)).to.include({ tradingEnabled: true })
      }
      expect(new Set(world.published.map(({ attributes }) => attributes['id'])).size).to.equal(2)
    })

    it('stay as they are until the halt is decided, and ask again every minute under the same id', async () => {
      await watch()
      await world.setEngineAway(true)
      world.set(own, { tradingEnabled: false, note: 1 })
      await settled()
      // Commits of others, and notices without a reason, change nothing in it.
      world.append(command('reconcile', 'c7', snapshot()), connected)
      world.set(own, {})
      await settled()
      expect(types()).to.deep.equal(['halt'])
      expect(world.shown(own)).to.include({ tradingEnabled: false, note: 1 })
      for (const many of [2, 3]) {
        world.hand.advance(patienceMs)
        await settled()
        expect(types()).to.have.length(many)
      }
      expect(new Set(world.published.map(({ attributes }) => attributes['id'])).size).to.equal(1)
      expect(world.warnings.at(-1)).to.contain('not decided yet')
      await world.setEngineAway(false)
      await settled()
      expect(world.ledger().trading.on).to.equal(false)
      await agrees()
    })

    it('halt even if the value is set back before anybody decided', async () => {
      await watch()
      await world.setEngineAway(true)
      world.set(own, { tradingEnabled: false })
      await settled()
      world.set(own, { tradingEnabled: true })
      await settled()
      await world.setEngineAway(false)
      await settled()
      expect(types()).to.deep.equal(['halt'])
      expect(world.shown(own)).to.include({ tradingEnabled: false })
      await agrees()
    })

    it('are asked for until the bus takes it', async () => {
      await watch()
      world.setBusAway(true)
      world.set(own, { tradingEnabled: false })
      await until('it was tried', () => world.warnings.some((text) => text.includes('trying again')))
      expect(world.shown(own)).to.include({ tradingEnabled: false })
      world.setBusAway(false)
      await until('it is tried again', () => {
        world.hand.advance(10_000)
        return world.published.length > 0
      })
      await settled()
      expect(world.commands()).to.deep.equal([halted])
      await agrees()
    })

    it('are found by the next process where this one could not ask', async () => {
      await watch()
      world.setBusAway(true)
      world.set(own, { tradingEnabled: false })
      await until('it was tried', () => world.warnings.some((text) => text.includes('trying again')))
      await watcher.stop()
      world.setBusAway(false)
      await watch()
      await settled()
      expect(world.commands()).to.deep.equal([halted])
      expect(world.ledger().trading.on).to.equal(false)
    })

    it('halt though the settings cannot be read', async () => {
      const documents: Documents = {
        ...world.documents,
        get: (path) => (path === common ? Promise.reject(new StoreUnavailable('not now')) : world.documents.get(path)),
      }
      watcher = await world.watcher({ documents })
      world.set(own, { tradingEnabled: false })
      await until('it is halted', () => {
        world.hand.advance(10_000)
        return !world.ledger().trading.on
      })
    })
  })

  describe('of the settings', () => {
    it('become one configure of just these', async () => {
      await watch()
      world.configure({ 'exposure.overall': 0.5, freshMinutes: 60 })
      await settled()
      expect(world.commands()).to.deep.equal([{ type: 'configure', changes: { 'exposure.overall': 0.5, freshMinutes: 60 } }])
      expect(world.published[0]!.topic).to.equal('paper-commands')
      expect(world.ledger().configuration).to.include({ 'exposure.overall': 0.5, freshMinutes: 60, 'strategies.dummy.allocation': 0.5 })
      expect(world.shown(common)!['changed']).to.include('freshMinutes')
      await agrees()
    })

    it('are put back, all of them, where one is not valid, and the alert names it', async () => {
      await watch()
      world.configure({ 'exposure.overall': '0.5', freshMinutes: 60 })
      await settled()
      expect(world.commands()).to.deep.equal([])
      expect(world.warnings).to.have.length(1)
      expect(world.warnings[0]).to.contain('config/common').and.to.contain('exposure.overall must be a number from 0 to 4')
      await agrees()
    })

    it('are put back where the engine refuses them, with its reason, and may be made again', async () => {
      await watch()
      for (const round of [1, 2]) {
        world.configure({ 'strategies.nobody.allocation': 0.1 })
        await settled()
        expect(types()).to.have.length(round)
        expect(world.warnings.at(-1)).to.contain('put back').and.to.contain('there is no strategy "nobody"')
        await agrees()
      }
      expect(new Set(world.published.map(({ attributes }) => attributes['id'])).size).to.equal(2)
    })

    it('are none where another version of the program wrote other defaults: nobody asked for those', async () => {
      const settings = { ...(world.shown(common)!['settings'] as Configuration), freshMinutes: 61 }
      world.set(common, { settings, settings_sha256: digestOf(settings) })
      await watch()
      await settled()
      expect(world.commands()).to.deep.equal([])
      expect(world.warnings.at(-1)).to.contain('another version of this program wrote it')
      await agrees()
      world.configure({ freshMinutes: 62 })
      await settled()
      expect(world.commands(), 'a wish is one all the same').to.deep.equal([{ type: 'configure', changes: { freshMinutes: 62 } }])
    })

    it('are put back where they say what holds anyway', async () => {
      await world.stop()
      world = createWorld()
      world.append(started, connected)
      projector = await world.projector()
      await watch()
      world.configure({ 'strategies.dummy.enabled': true })
      await settled()
      expect(types()).to.deep.equal(['configure'])
      expect(world.warnings.at(-1)).to.contain('put back').and.to.contain('every setting had that value already')
      await agrees()
    })

    it('are put back where nobody decides them while they are valid', async () => {
      await watch()
      await world.setEngineAway(true)
      world.configure({ freshMinutes: 60 })
      await settled()
      world.hand.advance(23 * 3_600_000)
      await settled()
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 60 })
      world.hand.advance(2 * 3_600_000)
      await settled()
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 180 })
      expect(world.warnings.at(-1)).to.contain('nobody decided')
      expect(types()).to.deep.equal(['configure'])
      // The very same edit is a wish of its own now: the first command may have taken its id to its end.
      world.configure({ freshMinutes: 60 })
      await settled()
      expect(new Set(world.published.map(({ attributes }) => attributes['id'])).size).to.equal(2)
    })

    it('may be changed again, or undone, before anybody decided', async () => {
      await watch()
      await world.setEngineAway(true)
      world.configure({ freshMinutes: 60, 'exposure.overall': 0.5 })
      await settled()
      world.configure({ freshMinutes: 90, 'exposure.overall': 0.9 })
      await settled()
      expect(world.commands().at(-1)).to.deep.equal({ type: 'configure', changes: { freshMinutes: 90, 'exposure.overall': 0.9 } })
      world.configure({ freshMinutes: 180 })
      await settled()
      await world.setEngineAway(false)
      await settled()
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 180, 'exposure.overall': 0.9 })
      expect(types()).to.deep.equal(['configure', 'configure', 'configure'])
      await agrees()
    })

    it('are not asked back because a change of somebody else hid them', async () => {
      await watch()
      await world.setEngineAway(true)
      world.configure({ freshMinutes: 60 })
      await settled()
      world.append(command('configure', 'c9', changed({ 'limits.gross': 0.8 })))
      await settled()
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 180, 'limits.gross': 0.8 })
      world.configure({ 'exposure.overall': 0.5 })
      await settled()
      expect(world.commands().at(-1)).to.deep.equal({ type: 'configure', changes: { 'exposure.overall': 0.5 } })
      await world.setEngineAway(false)
      await settled()
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 60, 'limits.gross': 0.8, 'exposure.overall': 0.5 })
      await agrees()
    })

    it('that were refused once are asked for again by the next process too', async () => {
      await watch()
      world.configure({ 'strategies.nobody.allocation': 0.1 })
      await settled()
      await watcher.stop()
      world.configure({ 'strategies.nobody.allocation': 0.1 })
      await watch()
      await settled()
      expect(world.memory.commits).to.have.length(trading.length + 2)
      await agrees()
    })

    it('are taken care of though the switch cannot be read', async () => {
      const documents: Documents = {
        ...world.documents,
        get: (path) => (path === own ? Promise.reject(new StoreUnavailable('not now')) : world.documents.get(path)),
      }
      watcher = await world.watcher({ documents })
      world.configure({ freshMinutes: 60 })
      await until('it is asked for', () => {
        world.hand.advance(10_000)
        return world.published.length > 0
      })
    })

    it('wait beside a later edit that is not valid, and are not lost by it', async () => {
      await watch()
      await world.setEngineAway(true)
      world.configure({ freshMinutes: 60 })
      await settled()
      world.configure({ 'limits.gross': 'much' })
      await settled()
      expect(world.warnings.at(-1)).to.contain('limits.gross must be a number').and.to.contain('will be put back')
      await world.setEngineAway(false)
      await settled()
      expect(types()).to.deep.equal(['configure'])
      expect(world.shown(common)!['settings']).to.include({ freshMinutes: 60, 'limits.gross': 1 })
      await agrees()
    })
  })
})
