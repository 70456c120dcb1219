/** The journal, and all that is made from it. */
import { canonical } from '../../domain/commit.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import { createProjector } from '../../projections/projector.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { sha256 } from './journal-text.ts'
import type { Check } from './witness.ts'

export const chainHolds: Check = ({ world: { memory } }) => {
  let previous = '0'.repeat(64)
  let epoch = 0
  for (const [index, { json, hash, position }] of memory.commits.entries()) {
    const commit = JSON.parse(json)
    if (position !== index + 1 || commit.position !== position) return [`position ${index + 1} holds commit ${commit.position}`]
    if (sha256(json) !== hash) return [`commit ${position} is not what its hash says`]
    if (commit.previousHash !== previous) return [`commit ${position} does not follow the one before`]
    if (commit.epoch < epoch) return [`commit ${position} is of epoch ${commit.epoch}, after epoch ${epoch}`]
    previous = hash
    epoch = commit.epoch
  }
  return []
}

export const documentsAreTheJournal: Check = async ({ world: { memory, clock } }) => {
  const silent = () => undefined
  const fresh = createMemory()
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const projector = createProjector({
    ...{ journal: memoryJournal(memory), documents: memoryDocuments(fresh), mode: 'paper', log, clock },
  })
  await projector.start()
  await projector.caughtUp(memory.commits.length)
  await projector.stop()
  const paths = new Set([...fresh.documents.keys(), ...memory.documents.keys()])
  return [...paths].flatMap((path) => {
    const [rebuilt, shown] = [fresh.documents.get(path), memory.documents.get(path)]
    const same = rebuilt !== undefined && shown !== undefined && canonical(JSON.parse(rebuilt)) === canonical(JSON.parse(shown))
    return same ? [] : [`${path}: ${shown === undefined ? 'missing' : rebuilt === undefined ? 'too much' : 'different'}`]
  })
}

/** Whatever snapshot it began with, an engine stands where one that has read everything stands. */
export const stateIsTheJournal: Check = ({ world }) => {
  const ledger = initialLedger()
  for (const stored of world.memory.commits) fold(ledger, stored)
  const engine = world.engine()
  if (engine?.ledger.position !== ledger.position) return [`the engine stands at ${engine?.ledger.position}, not at ${ledger.position}`]
  const [here, there] = [engine.ledger, ledger].map((each) => JSON.parse(JSON.stringify(each)) as Record<string, unknown>)
  return Object.keys(there!).flatMap((name) =>
    canonical(here![name]) === canonical(there![name]) ? [] : [`${name} is not what the journal says`],
  )
}

/** To readers outside: every event, none before its predecessor, none that is not in the journal. */
export const eventsAreTold: Check = ({ world: { memory, postOffice } }) => {
  const expected = memory.commits.flatMap(({ json, position }) =>
    JSON.parse(json).events.map((each: { type: string; data: unknown }, number: number) => ({ ...each, place: `${position}.${number}` })),
  )
  const number = new Map(expected.map(({ place }, index) => [place, index]))
  const wrong: string[] = []
  let next = 0
  for (const { data, attributes } of postOffice.outside()) {
    const index = number.get(attributes['position'] ?? '')
    if (index === undefined) wrong.push(`${attributes['position']} was published and is not in the journal`)
    else if (index > next) wrong.push(`${attributes['position']} was published before ${expected[next]!.place}`)
    else if (canonical(JSON.parse(data).data) !== canonical(expected[index]!.data))
      wrong.push(`${attributes['position']} was published otherwise`)
    next = Math.max(next, (index ?? 0) + 1)
  }
  return next < expected.length ? [...wrong, `${expected[next]!.place} was never published`] : wrong
}
