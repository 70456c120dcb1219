import { Command } from 'commander'
import { type Remembered, type Verified, verifyChain } from '../../domain/verify.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Comparison } from '../../projections/rebuild.ts'
import { systemClock } from '../clock.ts'
import type { Data } from '../data.ts'
import { openLog } from '../log.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

/** What the projections have seen of the journal: only they betray an end that was cut off. */
export const rememberedBy = async ({ documents }: Pick<Data, 'documents'>): Promise<Remembered[]> =>
  (await documents.list('checkpoints')).map(({ path, data }) => ({
    name: path,
    position: Number(data['position']),
    hash: String(data['hash']),
  }))

/** What the documents say otherwise than the journal, in one line; undefined when they agree. */
export const differenceOf = ({ different, missing, extra }: Comparison): string | undefined => {
  const found = Object.entries({ different, missing, extra }).flatMap(([what, [first, ...rest]]) =>
    first === undefined ? [] : [`${what}: ${first}${rest.length > 0 ? ` and ${rest.length} more` : ''}`],
  )
  return found.length === 0 ? undefined : `the documents are not what the journal says (${found.join('; ')}); ibt rebuild puts them right`
}

export const verify = (): Command =>
  new Command('verify')
    .description('Prove that the journal is whole, that its end is where it was, and that the documents are what it says.')
    .addHelpText(
      'after',
      `
Walks the chain of hashes from position 1, compares it with what the projections have seen, then folds everything again
and compares every document. Fails with the first commit that was changed, exchanged or cut off.

Example:
  $ npx ibt verify && echo sound`,
    )
    .action(() =>
      withData(async (data, { mode, logLevel }) => {
        const chain: Verified = await verifyChain(data.journal, await rememberedBy(data))
        if (!chain.ok) throw new Error(chain.problem)
        const { journal, documents } = data
        const compared = await createProjector({ journal, documents, mode, log: openLog(logLevel), clock: systemClock }).comparison()
        printJson({ ...chain, documents: compared })
        const difference = differenceOf(compared)
        if (difference !== undefined) throw new Error(difference)
      }),
    )
