/** What must hold after any run, from what anybody can ask for: the lines of `ibt journal`, the word of `ibt verify`, the gateway's own state. */
import { disagreements } from '../handlers/nights/invariants.ts'
import type { State } from '../handlers/nights/night.ts'
import { ibt } from '../infra/cli/ibt.ts'
import { parseJournal, sha256, type Told } from '../world/journal-text.ts'

type Variables = Readonly<Record<string, string>>
export type Line = { json: string; hash: string }

const withoutHash = (line: string): Line => {
  const at = line.lastIndexOf(',"hash":"')
  return { json: `${line.slice(0, at)}}`, hash: line.slice(at + 9, -2) }
}

/** Each position once, each text what its hash says, each bound to the one before, and no epoch after a higher one. */
const chainFaults = (lines: readonly Line[]): string[] => {
  let before = { hash: '0'.repeat(64), epoch: 0 }
  return lines.flatMap(({ json, hash }, index) => {
    const commit = JSON.parse(json) as { position: number; epoch: number; previousHash: string }
    const faults = [
      ...(commit.position === index + 1 ? [] : [`line ${index + 1} of the journal is commit ${commit.position}`]),
      ...(sha256(json) === hash ? [] : [`commit ${commit.position} is not what its hash says`]),
      ...(commit.previousHash === before.hash ? [] : [`commit ${commit.position} does not follow the one before`]),
      ...(commit.epoch >= before.epoch ? [] : [`commit ${commit.position} is of epoch ${commit.epoch}, after epoch ${before.epoch}`]),
    ]
    before = { hash, epoch: commit.epoch }
    return faults
  })
}

const onlyBeginnings = (told: readonly Told[]): string[] => {
  const epochs = told.filter(({ type }) => type === 'EngineStarted').map(({ data }) => data['epoch'] as number)
  return epochs.flatMap((epoch, index) => (epochs.indexOf(epoch) === index ? [] : [`epoch ${epoch} began twice`]))
}

/** The outcome of each command, by id: how many commits decided it, and what is left open. */
export const undecided = (lines: readonly Pick<Line, 'json'>[], ids: Iterable<string>): string[] => {
  const decided = new Map<string, number>()
  const open = new Map<string, number>()
  for (const { json } of lines) {
    const { cause, events } = JSON.parse(json) as { cause: { kind: string; id?: string }; events: Pick<Told, 'type' | 'data'>[] }
    if (cause.kind === 'command') decided.set(cause.id!, (decided.get(cause.id!) ?? 0) + 1)
    for (const { type, data } of events) {
      const change = type === 'PipelineStarted' ? 1 : type === 'PipelineEnded' ? -1 : 0
      if (change !== 0) open.set(data['pipeline'], (open.get(data['pipeline']) ?? 0) + change)
    }
  }
  return [...ids].flatMap((id) => {
    if (decided.get(id) !== 1) return [`${id} was decided ${decided.get(id) ?? 0} times`]
    return (open.get(id) ?? 0) === 0 ? [] : [`${id} has begun and not ended`]
  })
}

/** While all goes on: what the gateway has received is planned in a journal that is read after it, and was received once. */
export const earlyOrders = ({ received }: State, planned: ReadonlySet<string>): string[] =>
  Object.values(received)
    .flat()
    .flatMap(({ orderRef, count }) => [
      ...(planned.has(orderRef) ? [] : [`${orderRef} is at the gateway before its plan is in the journal`]),
      ...(count === 1 ? [] : [`${orderRef} reached the gateway ${count} times`]),
    ])

/** @param accepted the ids of all commands that the bus took */
export const faultsIn = (lines: readonly Line[], state: State, accepted: Iterable<string>): string[] => {
  const told = parseJournal(lines)
  return [...chainFaults(lines), ...onlyBeginnings(told), ...undecided(lines, accepted), ...disagreements(told, state)]
}

/** With no engine running any more. */
export const violationsOutside = async (variables: Variables, state: State, accepted: Iterable<string>): Promise<string[]> => {
  const [journal, verified] = [await ibt(['journal'], variables), await ibt(['verify'], variables)]
  if (journal.code !== 0) return [`ibt journal ends with ${journal.code}: ${journal.errors}`]
  return [
    ...(verified.code === 0 ? [] : [`ibt verify: ${verified.errors.trim()}`]), // the documents too
    ...faultsIn(journal.out.trimEnd().split('\n').map(withoutHash), state, accepted),
  ]
}
