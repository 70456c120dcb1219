import { Command, Option } from 'commander'
import { gatewaySimulatorArguments, gatewaySimulatorOptions, runGatewaySimulator } from '../gateway-sim/main.ts'

const taken = gatewaySimulatorArguments.map(({ name, value, says }) => {
  const option = new Option(`--${name} <${value}>`, says)
  return name === 'bars' ? option.argParser((given: string, before: string[] = []) => [...before, given]) : option
})

type Given = Readonly<Record<string, string | string[] | undefined>>

/** As they were given, for the one place that reads them. */
const argumentsOf = (given: Given): string[] =>
  taken.flatMap((option) => [given[option.attributeName()] ?? []].flat().map((value) => `--${option.name()}=${value}`))

/** Runs until it is told to end. @throws Error naming the argument that is wrong */
const run = async (given: Given): Promise<void> => {
  const options = gatewaySimulatorOptions(argumentsOf(given))
  try {
    await runGatewaySimulator(options)
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number }
    if (code !== 'EADDRINUSE') throw error
    throw new Error(`${port === options.port ? '--port' : '--control-port'}: ${port} is in use by another program`, { cause: error })
  }
}

export const gatewaySim = (): Command => {
  const command = new Command('gateway-sim').description(
    'Run a simulated IB Gateway: a server that speaks the TWS protocol, with a paper account, market data and faults on demand.',
  )
  for (const option of taken) command.addOption(option)
  return command
    .addHelpText(
      'after',
      `
Prints one line of JSON with both ports once it listens, and runs until SIGTERM or SIGINT.
Time stands still until the control port moves it. An engine of ibt start lives in the present: for strategies to accept its bars,
give files that reach up to the latest session, start now and let the clock run, as in the last two examples.
GET /faults on the control port lists what can be made to go wrong; infra/gateway-sim/README.md tells all of it, and what a script is.
Built in are SPY (the S&P 500 index ÷ 10), VIXY (synthetic), 2000-01-03 to 2020-04-17, and a few stocks, indices, futures and
currency pairs with synthetic prices. Files have the header date,open,high,low,close,volume.

Examples:
  $ npx ibt gateway-sim --port 4002 --control-port 4003 --start 2020-03-02
  $ curl -s localhost:4003/state
  $ curl -s localhost:4003/clock -d '{"to": "2020-03-02T21:05:00Z"}'
  $ curl -s localhost:4003/clock -d '{"mode": "real", "speed": 60}'
  $ curl -s localhost:4003/faults -d '{"fault": "linkDown", "seconds": 60}'
  $ npx ibt gateway-sim --port 4002 --control-port 4003 --script night.yaml --seed 7
  $ npx ibt gateway-sim --port 4002 --control-port 4003 --bars SPY=spy.csv --bars VIXY=vixy.csv --start now
  $ curl -s localhost:4003/clock -d '{"mode": "real", "speed": 1}'`,
    )
    .action((given: Given) => run(given))
}
