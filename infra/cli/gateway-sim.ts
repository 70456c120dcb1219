import { Command } from 'commander'
import { runGatewaySimulator } from '../gateway-sim/main.ts'
import { barsFile, wholeNumber } from './arguments.ts'

type Options = { port: number; controlPort: number; bars?: Record<string, string>; universe?: string; start?: string; seed?: number }

/** Runs until it is told to end. @throws Error naming the argument that is wrong */
const run = async (options: Options): Promise<void> => {
  try {
    await runGatewaySimulator(options)
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number }
    if (code !== 'EADDRINUSE') throw error
    throw new Error(`${port === options.port ? '--port' : '--control-port'}: ${port} is in use by another program`, { cause: error })
  }
}

export const gatewaySim = (): Command =>
  new Command('gateway-sim')
    .description('Run a simulated IB Gateway: a server that speaks the TWS protocol, with a paper account and market data.')
    .option('--port <port>', 'API port; 0 takes any free one', wholeNumber(0, 65_535), 0)
    .option('--control-port <port>', 'HTTP control port on loopback; 0 takes any free one', wholeNumber(0, 65_535), 0)
    .option('--bars <SYMBOL=file.csv>', 'bars of a symbol; may be repeated', barsFile)
    .option('--universe <file>', 'contracts of your own (YAML or JSON), on top of the built-in ones')
    .option('--start <date>', 'simulated time at the start: a date, or an ISO time with its zone')
    .option('--seed <number>', 'whole number that fixes the course of the days and all ids', wholeNumber(0))
    .addHelpText(
      'after',
      `
Prints one line of JSON with both ports once it listens, and runs until SIGTERM or SIGINT.
Time stands still until the control port moves it. An engine of ibt start lives in the present: for strategies to accept its bars,
give files that reach up to the latest session, start now and let the clock run, as in the last two examples.
Built in are SPY (the S&P 500 index ÷ 10), VIXY (synthetic), 2000-01-03 to 2020-04-17, and a few stocks, indices, futures and
currency pairs with synthetic prices. Files have the header date,open,high,low,close,volume.

Examples:
  $ npx ibt gateway-sim --port 4002 --control-port 4003 --start 2020-03-02
  $ curl -s localhost:4003/state
  $ curl -s localhost:4003/clock -d '{"to": "2020-03-02T21:05:00Z"}'
  $ curl -s localhost:4003/clock -d '{"mode": "real", "speed": 60}'
  $ npx ibt gateway-sim --port 4002 --control-port 4003 --bars SPY=spy.csv --bars VIXY=vixy.csv --start "$(date -u +%FT%TZ)"
  $ curl -s localhost:4003/clock -d '{"mode": "real", "speed": 1}'`,
    )
    .action((options: Options) => run(options))
