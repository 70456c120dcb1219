import { Command } from 'commander'
import { latestClosedSession, newYorkTime } from '../../domain/calendar.ts'
import { endOfDate } from '../../domain/durations.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { BarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import type { Strategy } from '../../domain/strategy.ts'
import { handlersFor } from '../../handlers/handlers.ts'
import { computeSignal, gatherSignal } from '../../handlers/signal.ts'
import { openBars } from '../bars/open.ts'
import { catalogueSource, type Lacking, lackingFor } from '../bars/source.ts'
import { systemClock } from '../clock.ts'
import { findStrategies } from '../compose.ts'
import type { Environment } from '../environment.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

type Options = { at?: string; id: string; withGaps: boolean }

/** A date is the close of its session, or of the last one before it; a time is itself. @throws Error naming the argument */
const momentOf = (at: string | undefined, now: number): number => {
  if (at === undefined) return now
  const wrong = () => new Error(`--at: ${JSON.stringify(at)} is neither a date such as 2026-11-20 nor an ISO time with its zone`)
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(at)) {
    const instant = Date.parse(at)
    if (Number.isNaN(instant)) throw wrong()
    return instant
  }
  try {
    newYorkTime(at, '00:00')
  } catch {
    throw wrong()
  }
  return latestClosedSession(endOfDate(at)).close
}

const named = async (name: string, where: Environment): Promise<Strategy> => {
  const strategies: Readonly<Record<string, Strategy>> = await findStrategies(where)
  const found = strategies[handlersFor(strategies).published(name)?.type ?? '']
  if (found === undefined) throw new Error(`there is no strategy "${name}"; there are ${Object.keys(strategies).sort().join(', ')}`)
  return found
}

const wordsOf = ({ symbol, request: { size, duration, whatToShow }, gaps }: Lacking): string => {
  const what =
    gaps === undefined ? 'no contract of it was ever named' : `${gaps.count} bars missing, the first ${gaps.first.slice(0, 3).join(', ')}`
  return `${symbol} ${duration} of ${size} (${whatToShow}): ${what}`
}

/** As a shell takes it. */
const collectingLine = ({ declared, request: { size, duration, whatToShow, regularHoursOnly } }: Lacking): string => {
  const body = { instrument: declared, barSize: size, duration, whatToShow, ...(regularHoursOnly ? {} : { regularHoursOnly }) }
  return `  ibt publish collect-market-data --data '${JSON.stringify(body)}'`
}

type Asked = { strategy: Strategy; catalogue: BarCatalogue; ledger: Ledger; now: number; options: Options }

/** @throws Error in one line when there is no signal, or one of a catalogue with holes that nobody asked for */
const compute = async ({ strategy, catalogue, ledger, now, options }: Asked): Promise<object> => {
  const lacking = await lackingFor(catalogue, ledger, strategy, now)
  if (lacking.length > 0) {
    const text = `the catalogue is not whole: ${lacking.map(wordsOf).join('; ')}`
    if (!options.withGaps)
      throw new Error(`${text}. Collect them, or compute without them by --with-gaps:\n${lacking.map(collectingLine).join('\n')}`)
    process.stderr.write(`${text}\n`)
  }
  const facts = await gatherSignal(catalogueSource(catalogue, ledger, now), now, strategy)
  const events = computeSignal(ledger, strategy, { id: options.id, body: { dryRun: true } }, facts)
  const failed = events.find(({ type }) => type === 'SignalFailed')
  if (failed?.type === 'SignalFailed') throw new Error(`${failed.data.code}: ${failed.data.text}`)
  return events.find(({ type }) => type === 'SignalGenerated')!.data
}

export const signal = (): Command =>
  new Command('signal')
    .description('Compute the signal of a strategy from the bars that were collected, without a broker, and print it as JSON.')
    .argument('<strategy>', 'the id of a strategy, or another name of it')
    .option('--at <date>', 'as at the close of that date, or at an ISO time (default: now)')
    .option('--id <id>', 'id of the command whose random numbers are drawn, for strategies that draw some', 'catalogue')
    .option('--with-gaps', 'also when bars are missing; what is missing is said', false)
    .addHelpText(
      'after',
      `
The same computation as the engine's, on the same bars: its hash of the bars, indicators and targets are those of the signal that
the engine records for that moment. Nothing is recorded here. Contracts, parameters and switches are those that the journal holds
now; bars come from BARS_DIR.

Examples:
  $ npx ibt publish collect-market-data --data '{"instrument": {"symbol": "SPY", "secType": "STK", "exchange": "SMART", "currency": "USD"}, "barSize": "1 day", "duration": "2 Y", "whatToShow": "TRADES"}'
  $ npx ibt signal dummy
  $ npx ibt signal spymacdvixy --at 2026-11-20 | jq .indicators`,
    )
    .action((name: string, options: Options) =>
      withData(async ({ journal }, where) => {
        const strategy = await named(name, where)
        const now = momentOf(options.at, systemClock.now())
        const ledger = initialLedger()
        for await (const stored of journal.read(1)) fold(ledger, stored)
        const catalogue = await openBars(where)
        try {
          printJson(await compute({ strategy, catalogue, ledger, now, options }))
        } finally {
          await catalogue.close()
        }
      }),
    )
