import { expect } from 'chai'
import fc from 'fast-check'
import { event } from '../../domain/events.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import { configurationView } from '../../projections/configuration.ts'
import { type HandEdits, mostRepairs, patienceMs } from '../../projections/hand-edits.ts'
import type { Projector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { createWorld, trading, type World } from './hand-edits-world.ts'
import { broker, changed, command, documentsOf, snapshot, started } from './story.ts'

const own = 'config/paper'
const common = 'config/common'
const halted = { type: 'halt', reason: 'trading was switched off in config/paper by hand' }

describe('hand edits, whatever happens beside them', () => {
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

  it('are found where they were made while nobody watched, before a projector writes over them', async () => {
    await projector.stop()
    world.set(own, { tradingEnabled: false })
    world.append(
      command('halt', 'h1', event('TradingHalted', { reason: 'x', publishedAt: '2026-11-21T14:00:00.000Z', cancelWorking: false })),
      command('resume', 'r2', event('TradingResumed', { reason: 'y' })),
    )
    await watch()
    projector = await world.projector()
    await settled()
    expect(world.commands()).to.deep.equal([halted])
    expect(world.ledger().trading.on).to.equal(false)
    await agrees()
  })

  it('are not what a projector has still to write', async () => {
    await projector.stop()
    world.append(
      command('configure', 'c9', changed({ freshMinutes: 30 })),
      command('halt', 'h1', event('TradingHalted', { reason: 'x', publishedAt: '2026-11-21T14:00:00.000Z', cancelWorking: false })),
    )
    await watch()
    await until('it looked', () => watcher.idle())
    expect(world.commands()).to.deep.equal([])
    expect(world.warnings).to.deep.equal([])
    expect(world.shown(own)).to.include({ tradingEnabled: true })
  })

  it('are judged at one place only: what a projector writes between two reads is none', async () => {
    let once = true
    const documents: Documents = {
      ...world.documents,
      get: async (path) => {
        const found = await world.documents.get(path)
        if (path === own && once) {
          once = false
          world.append(
            command('halt', 'h1', event('TradingHalted', { reason: 'x', publishedAt: '2026-11-21T14:00:00.000Z', cancelWorking: false })),
          )
          await projector.caughtUp(world.memory.commits.length)
        }
        return found
      },
    }
    watcher = await world.watcher({ documents })
    await settled()
    expect(world.commands()).to.deep.equal([])
    expect(world.warnings).to.deep.equal([])
  })

  it('are never put back over what a projector writes at that moment', async () => {
    let once = true
    const documents: Documents = {
      ...world.documents,
      write: async (...batch) => {
        if (once) {
          once = false
          world.append(command('configure', 'c9', changed({ freshMinutes: 30 })))
          await projector.caughtUp(world.memory.commits.length)
        }
        return world.documents.write(...batch)
      },
    }
    watcher = await world.watcher({ documents })
    world.set(common, { changed: ['nonsense'] })
    await settled()
    expect(once).to.equal(false)
    expect(world.shown(common)!['settings']).to.include({ freshMinutes: 30 })
    await agrees()
  })

  it('are one command for two watchers', async () => {
    await watch()
    const other = await world.watcher()
    world.configure({ freshMinutes: 60 })
    world.set(own, { tradingEnabled: false })
    await settled()
    await world.settled(other, projector)
    const ids = world.published.map(({ attributes }) => attributes['id'])
    expect(world.published).to.have.length(4)
    expect(new Set(ids).size).to.equal(2)
    expect(world.memory.commits).to.have.length(trading.length + 2)
    world.configure({ 'strategies.nobody.allocation': 0.1 })
    await settled()
    await world.settled(other, projector)
    await agrees()
  })

  it('of somebody who fights are left for a minute, with an alert; a halt never is', async () => {
    await watch()
    for (let round = 0; round < mostRepairs; round++) {
      world.set(own, { reason: 'mine' })
      await settled()
      expect(world.shown(own)).to.include({ reason: 'checked' })
    }
    world.set(own, { reason: 'mine' })
    await settled()
    expect(world.shown(own)).to.include({ reason: 'mine' })
    expect(world.warnings.at(-1)).to.contain('left as it is for a minute')
    const told = world.warnings.length
    world.set(own, { reason: 'mine, I said' })
    await settled()
    expect(world.warnings).to.have.length(told)
    world.set(own, { tradingEnabled: false })
    await settled()
    expect(world.commands()).to.deep.equal([halted])
    world.hand.advance(patienceMs)
    await settled()
    await agrees()
  })

  it('cannot be told from a projection of another journal, and that is said', async () => {
    world.memory.checkpoints.get('views')!.hash = 'f'.repeat(64)
    await watch()
    expect(watcher.failure()?.message).to.contain('another journal')
    expect(world.warnings.join()).to.contain('no longer seen')
    expect(watcher.idle()).to.equal(true)
  })

  it('of both documents are asked for with the halt first', async () => {
    world.configure({ freshMinutes: 60 })
    world.set(own, { tradingEnabled: false })
    await watch()
    await settled()
    expect(types()).to.deep.equal(['halt', 'configure'])
    await agrees()
  })

  it('are judged anew where the documents went back to an earlier place', async () => {
    await watch()
    await projector.stop()
    const first = world.memory.commits[0]!
    world.memory.checkpoints.set('views', { position: 1, hash: first.hash, version: 77 })
    for (const [path, data] of documentsOf(configurationView, started)) world.edit(path, data)
    await until('it looked', () => watcher.idle())
    expect(watcher.failure()).to.equal(undefined)
    expect(world.warnings).to.deep.equal([])
    projector = await world.projector()
    await settled()
    expect(world.commands()).to.deep.equal([])
    await agrees()
  })

  it('are judged anew after the documents were thrown away', async () => {
    await watch()
    world.append(command('reconcile', 'c7', snapshot()))
    world.configure({ freshMinutes: 60 })
    await settled()
    await projector.stop()
    world.memory.checkpoints.clear()
    world.memory.documents.clear()
    projector = await world.projector()
    world.set(own, { tradingEnabled: null })
    await settled()
    expect(types()).to.deep.equal(['configure', 'halt'])
    await agrees()
  })

  it('cease to be seen when it stops', async () => {
    await watch()
    await watcher.stop()
    world.set(own, { tradingEnabled: false })
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.commands()).to.deep.equal([])
    expect([...world.memory.listeners].filter(([path]) => path.startsWith('config/')).map(([, listeners]) => listeners.size)).to.deep.equal(
      [0, 0],
    )
  })

  it('of whatever JSON end in the documents of the journal, by nothing but halt and configure, and never miss a halt', async () => {
    const names = ['exposure.overall', 'freshMinutes', 'orders.algo', 'strategies.dummy.allocation', 'strategies.nobody.enabled', 'x']
    const value = fc.oneof(fc.constantFrom<unknown>(true, false, 0, 0.25, 60, 'Adaptive', null), fc.jsonValue({ maxDepth: 2 }))
    const settings = fc.oneof({ weight: 4, arbitrary: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }) })
    const edit = fc.oneof(
      fc.record({ path: fc.constant(own), field: fc.constantFrom('tradingEnabled', 'tradingEnabled', 'reason', 'account', 'more'), value }),
      fc.record({ path: fc.constant(common), field: fc.constantFrom('settings', 'changed', 'updated_at', 'more'), value }),
      settings.map((changes) => ({ path: common, field: 'settings', changes })),
      fc.record({ path: fc.constantFrom(own, common), whole: fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))) }),
      fc.constant({ resume: true }),
    )
    let number = 0
    const apply = (one: typeof edit extends fc.Arbitrary<infer E> ? E : never): void => {
      if ('resume' in one)
        world.append(number++ % 2 ? command('resume', `again-${number}`, event('TradingResumed', { reason: 'on' })) : broker(snapshot()))
      else if ('whole' in one) world.edit(one.path, (one.whole ?? undefined) as Document | undefined)
      else if ('changes' in one) world.configure(one.changes as Document)
      else world.set(one.path, { [one.field]: one.value } as Document)
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(edit, fc.boolean()), { minLength: 1, maxLength: 8 }), async (edits) => {
        await world.stop()
        world = createWorld()
        world.append(...trading)
        projector = await world.projector()
        await watch()
        for (const [one, waits] of edits) {
          const before = world.published.length
          if ('changes' in one && typeof world.shown(common)?.['settings'] !== 'object') continue
          const was = world.ledger().trading.on && world.shown(own)?.['tradingEnabled'] === true
          apply(one)
          if (!waits && !('resume' in one)) continue
          const found = world.shown(own)
          const asks = !('resume' in one) && was && found !== undefined && 'tradingEnabled' in found && found['tradingEnabled'] !== true
          await settled()
          if (asks) expect(types().slice(before), JSON.stringify(one)).to.include('halt')
          world.hand.advance(patienceMs)
        }
        await settled()
        world.hand.advance(2 * patienceMs)
        await settled()
        expect(types().filter((type) => type !== 'halt' && type !== 'configure')).to.deep.equal([])
        await agrees()
      }),
      { numRuns: 150 },
    )
  })
})
